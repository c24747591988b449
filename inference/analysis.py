"""The step that turns a stored instance into a recorded prediction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import RecordNotFound
from core.ledger import Claim, LeaseLost
from core.logs import get_logger
from core.predictions import record_prediction
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobKind
from core.values.prediction import FieldEstimate, Prediction
from core.values.reason import Reason, ReasonCode
from dicom_node.storage.bytes import Storage
from inference import outcome
from inference.examination import Examination, examine, kind_of, unread
from inference.kept_fundus import KeptFundus, fundus_of
from inference.preview import KeptPictures, keep_fundus, keep_preview
from inference.scorers import Scorers, ScorerSource
from inference.stored_scan import LocalizerAwaited, read_stored_scan
from inference.subject import Subject, load_subject

_log = get_logger(__name__)

#: Scans prepared and predicted together.
GROUP_SIZE: Final = 16
#: How long to put a scan aside whose localizer is still on its way, in seconds.
LOCALIZER_DELAY_SECONDS: Final = 0.1
#: With these a good object is simply not for a model, and makes no prediction.
_NO_PREDICTION: Final = (ReasonCode.NOT_MODEL_INPUT,)


@dataclass(frozen=True)
class Analysis:
    """One claimed job with what was read for it."""

    claimed: Claim
    subject: Subject
    examination: Examination
    fundus: KeptFundus | None = None


@dataclass(frozen=True)
class AnalyseStep:
    """Reads the scan, measures it, estimates the field and records the prediction."""

    database: Database
    storage: Storage
    models: ScorerSource
    clock: Clock = utc_now
    kind: JobKind = JobKind.ANALYSE
    group_size: int = GROUP_SIZE

    def run(self, claims: Sequence[Claim]) -> None:
        """Analyse each claimed instance; those fit to be scored are predicted in one batch.

        Models that only watch come last, when every result is recorded.
        """
        scorers = self.models.current()
        read = (self._analyse(claimed, scorers) for claimed in claims)
        analyses = [found for found in read if found is not None]
        judged = scorers.judged([found.examination for found in analyses])
        estimates = scorers.estimate(judged)
        recorded: list[tuple[str, Examination]] = []
        for found, examination, estimate in zip(analyses, judged, estimates, strict=True):
            try:
                prediction_id = self._record(found, examination, estimate, scorers)
            except LeaseLost:
                # Another worker has it, or other content took its place and it begins anew.
                _log.info("analysis_overtaken", job=found.claimed.job_id)
                continue
            if prediction_id is not None:
                recorded.append((prediction_id, found.examination))
        for shadow in scorers.shadows:
            shadow.watch(self.database, self.clock, recorded)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Record a failed prediction, so that the scan is seen to have no result."""
        try:
            subject = load_subject(session, int(claim.subject))
        except RecordNotFound:
            # Without its instance there is nothing to report on; the failed job tells of it.
            _log.warning("instance_gone", job=claim.job_id)
            return
        scorer = self.models.current().active.get(kind_of(subject.sop_class_uid))
        if scorer is None:
            subject.set_outcome(session, InstanceOutcome.NOT_MODEL_INPUT, error)
            return
        reason = Reason(ReasonCode.PROCESSING_FAILED, error)
        failed = outcome.failed(subject, scorer.identity, self.clock(), reason)
        _record_prediction(session, subject, failed, KeptPictures())

    def _analyse(self, claimed: Claim, scorers: Scorers) -> Analysis | None:
        with self.database.reading() as session:
            subject = load_subject(session, int(claimed.subject))
        kind = kind_of(subject.sop_class_uid)
        if kind not in scorers.active:
            return Analysis(claimed, subject, unread(subject.device, kind))
        try:
            stored = read_stored_scan(subject, self.database, self.storage, self.clock())
        except LocalizerAwaited:
            with self.database.transaction() as session:
                ledger.give_back(session, claimed, LOCALIZER_DELAY_SECONDS)
            return None
        examination = examine(stored, scorers.age_limits_years)
        return Analysis(claimed, subject, examination, fundus_of(stored, examination))

    def _record(
        self,
        found: Analysis,
        examination: Examination,
        estimate: FieldEstimate | None,
        scorers: Scorers,
    ) -> str | None:
        """Record how an examination ended; return the id of its prediction, None without one."""
        scorer = scorers.active.get(examination.kind)
        unfit = [reason for reason in examination.reasons if reason.code in _NO_PREDICTION]
        if scorer is None or unfit:
            self._leave(found, examination, unfit)
            return None
        prediction = outcome.conclude(
            found.subject, examination, scorer.identity, self.clock(), estimate
        )
        if found.fundus is not None:
            prediction = replace(prediction, fundus=found.fundus.place)
        pictures = self._keep_pictures(found)
        with self.database.transaction() as session:
            recorded = _record_prediction(session, found.subject, prediction, pictures)
            ledger.finish(session, found.claimed)
        _log_analysed(found.subject, prediction.status, examination)
        return recorded

    def _keep_pictures(self, found: Analysis) -> KeptPictures:
        scan, fundus = found.examination.picture, found.fundus
        return KeptPictures(
            None if scan is None else keep_preview(self.storage, scan),
            None if fundus is None else keep_fundus(self.storage, fundus.pixels),
        )

    def _leave(self, found: Analysis, examination: Examination, reasons: Sequence[Reason]) -> None:
        """Record that an instance is for no model that scores."""
        message = " ".join(reason.message for reason in reasons)
        with self.database.transaction() as session:
            found.subject.set_outcome(session, InstanceOutcome.NOT_MODEL_INPUT, message)
            ledger.finish(session, found.claimed)
        _log_analysed(found.subject, InstanceOutcome.NOT_MODEL_INPUT, examination)


def _record_prediction(
    session: Session, subject: Subject, prediction: Prediction, pictures: KeptPictures
) -> str:
    # Before the prediction, which takes the next number of a change: whoever stores the instance
    # again has its row first and then waits for a number.
    subject.set_outcome(session, InstanceOutcome.PREDICTED)
    session.flush()
    recorded = record_prediction(
        session, prediction, subject.instance_key, pictures.scan_key, pictures.fundus_key
    )
    # An answer that stood already got the job of its reports with its own record.
    if recorded == prediction.prediction_id:
        ledger.enqueue(session, JobKind.REPORT, recorded)
    return recorded


def _log_analysed(subject: Subject, status: str, examination: Examination) -> None:
    _log.info(
        "instance_analysed",
        sop_instance_uid=subject.source.sop_instance_uid,
        status=status,
        reasons=[reason.code for reason in examination.reasons],
        notes=list(examination.notes),
    )

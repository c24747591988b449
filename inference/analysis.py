"""The step that turns a stored instance into a recorded prediction."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import RecordNotFound
from core.lease import Lease
from core.ledger import Claim
from core.logs import get_logger
from core.settings import DEFAULT_LEASE_SECONDS
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobKind
from core.values.prediction import FieldEstimate
from core.values.reason import Reason, ReasonCode
from dicom_node.storage.bytes import Storage
from inference import outcome
from inference.examination import Examination, kind_of
from inference.prepared_scan import NO_PREDICTION, PreparedScan, prepare_stored
from inference.recording import Conclusion, record, record_failure
from inference.scorers import Scorers, ScorerSource
from inference.stored_scan import LocalizerAwaited
from inference.subject import load_subject

_log = get_logger(__name__)

#: Scans predicted together, and claimed together where they are prepared in this process.
GROUP_SIZE: Final = 16


@dataclass(frozen=True)
class Analysis:
    """One claimed job with what was prepared for it."""

    claimed: Claim
    prepared: PreparedScan


@dataclass(frozen=True)
class AnalyseStep:
    """Reads the scan, measures it, estimates the field and records the prediction."""

    database: Database
    storage: Storage
    models: ScorerSource
    clock: Clock = utc_now
    kind: JobKind = JobKind.ANALYSE
    group_size: int = GROUP_SIZE
    #: Of its claims, where it prepares scans in this process.
    lease_seconds: float = DEFAULT_LEASE_SECONDS

    def run(self, claims: Sequence[Claim]) -> None:
        """Analyse each claimed instance in this process, and hold the claims meanwhile."""
        scorers = self.models.current()
        with ExitStack() as held:
            for claimed in claims:
                held.enter_context(Lease(self.database, claimed, self.lease_seconds).held())
            prepared = [self._prepare(claimed, scorers) for claimed in claims]
            self.conclude([found for found in prepared if found is not None], scorers)

    def conclude(self, analyses: Sequence[Analysis], scorers: Scorers) -> None:
        """Predict what is fit to be scored in one batch, and record how each analysis ends.

        Models that only watch come last, when every result is recorded.
        """
        examinations = [found.prepared.examination for found in analyses]
        judged = scorers.judged(examinations)
        estimates = scorers.estimate(judged)
        ends = [
            self._end(found, examination, estimate, scorers)
            for found, examination, estimate in zip(analyses, judged, estimates, strict=True)
        ]
        recorded = record(self.database, ends)
        watched = []
        for end, examination, found in zip(ends, judged, examinations, strict=True):
            if end.claimed.job_id not in recorded:
                continue
            _log_analysed(end, examination)
            prediction_id = recorded[end.claimed.job_id]
            if prediction_id is not None:
                watched.append((prediction_id, found))
        for shadow in scorers.shadows:
            shadow.watch(self.database, self.clock, watched)

    def put_aside(self, claimed: Claim, delay_seconds: float) -> None:
        """Give a scan back whose localizer may still be on its way."""
        with self.database.transaction() as session:
            ledger.give_back(session, claimed, delay_seconds)

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
        record_failure(session, subject, failed)

    def _prepare(self, claimed: Claim, scorers: Scorers) -> Analysis | None:
        ages, key = scorers.age_limits_years, int(claimed.subject)
        try:
            prepared = prepare_stored(key, self.database, self.storage, ages, self.clock())
        except LocalizerAwaited as awaited:
            self.put_aside(claimed, awaited.delay_seconds)
            return None
        return Analysis(claimed, prepared)

    def _end(
        self,
        found: Analysis,
        examination: Examination,
        estimate: FieldEstimate | None,
        scorers: Scorers,
    ) -> Conclusion:
        """Return how an analysis ends: with a prediction, or for no model that scores."""
        prepared, scorer = found.prepared, scorers.active.get(examination.kind)
        unfit = [reason for reason in examination.reasons if reason.code in NO_PREDICTION]
        if scorer is None or unfit:
            message = " ".join(reason.message for reason in unfit)
            return Conclusion(found.claimed, prepared.subject, None, message=message)
        prediction = outcome.conclude(
            prepared.subject, examination, scorer.identity, self.clock(), estimate
        )
        prediction = replace(prediction, fundus=prepared.fundus)
        return Conclusion(found.claimed, prepared.subject, prediction, prepared.pictures)


def _log_analysed(end: Conclusion, examination: Examination) -> None:
    prediction = end.prediction
    _log.info(
        "instance_analysed",
        sop_instance_uid=end.subject.source.sop_instance_uid,
        status=end.outcome if prediction is None else prediction.status,
        reasons=[reason.code for reason in examination.reasons],
        notes=list(examination.notes),
    )

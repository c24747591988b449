"""The step that turns a stored instance into a recorded prediction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlmodel import Session

from core import ledger
from core.clock import Clock, utc_now
from core.database import Database
from core.errors import RecordNotFound
from core.ledger import Claim
from core.logs import get_logger
from core.predictions import record_prediction
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobKind
from core.values.prediction import FieldEstimate, Prediction
from core.values.reason import Reason, ReasonCode
from dicom_node.storage.bytes import Storage
from inference import outcome
from inference.examination import Examination, examine
from inference.predictor import Predictor
from inference.preview import keep_preview
from inference.stored_scan import LocalizerAwaited, read_stored_scan
from inference.subject import Subject, load_subject

_log = get_logger(__name__)

#: Scans prepared and predicted together.
GROUP_SIZE: Final = 16
#: How long to put a scan aside whose localizer is still on its way, in seconds.
LOCALIZER_DELAY_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Analysis:
    """One claimed job with what was read for it."""

    claimed: Claim
    subject: Subject
    examination: Examination


@dataclass(frozen=True)
class AnalyseStep:
    """Reads the scan, measures its profile, estimates the field and records the prediction."""

    database: Database
    storage: Storage
    predictor: Predictor
    clock: Clock = utc_now
    kind: JobKind = JobKind.ANALYSE
    group_size: int = GROUP_SIZE

    def run(self, claims: Sequence[Claim]) -> None:
        """Analyse each claimed instance; those fit to be scored are predicted in one batch."""
        analyses = [found for claimed in claims if (found := self._analyse(claimed)) is not None]
        estimates = estimate_fields(self.predictor, [found.examination for found in analyses])
        for found, estimate in zip(analyses, estimates, strict=True):
            self._record(found, estimate)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Record a failed prediction, so that the scan is seen to have no result."""
        try:
            subject = load_subject(session, int(claim.subject))
        except RecordNotFound:
            # Without its instance there is nothing to report on; the failed job tells of it.
            _log.warning("instance_gone", job=claim.job_id)
            return
        reason = Reason(ReasonCode.PROCESSING_FAILED, error)
        failed = outcome.failed(subject, self.predictor.identity, self.clock(), reason)
        _record_rows(session, subject, failed, preview_key=None)

    def _analyse(self, claimed: Claim) -> Analysis | None:
        with self.database.reading() as session:
            subject = load_subject(session, int(claimed.subject))
        try:
            stored = read_stored_scan(subject, self.database, self.storage, self.clock())
        except LocalizerAwaited:
            with self.database.transaction() as session:
                ledger.give_back(session, claimed, LOCALIZER_DELAY_SECONDS)
            return None
        limits = self.predictor.card.trained_age_range_years
        return Analysis(claimed, subject, examine(stored.dataset, stored.localizer, limits))

    def _record(self, found: Analysis, estimate: FieldEstimate | None) -> None:
        prediction = outcome.conclude(
            found.subject, found.examination, self.predictor.identity, self.clock(), estimate
        )
        scan = found.examination.scan
        preview_key = keep_preview(self.storage, scan) if scan is not None else None
        with self.database.transaction() as session:
            _record_rows(session, found.subject, prediction, preview_key)
            ledger.finish(session, found.claimed)
        _log.info(
            "instance_analysed",
            sop_instance_uid=found.subject.source.sop_instance_uid,
            status=prediction.status,
            reasons=[reason.code for reason in prediction.reasons],
            notes=list(scan.notes) if scan is not None else [],
        )


def estimate_fields(
    predictor: Predictor, examinations: Sequence[Examination]
) -> list[FieldEstimate | None]:
    """Return one field per examination, in order; None for those that must not be scored."""
    inputs = [examination.input for examination in examinations]
    ready = [found for found in inputs if found is not None]
    if not ready:
        return [None] * len(inputs)
    thickness_um = np.stack([thickness for thickness, _ in ready])
    ages_years = np.array([age for _, age in ready], np.float32)
    estimates = iter(predictor.predict(thickness_um, ages_years))
    return [None if found is None else next(estimates) for found in inputs]


def _record_rows(
    session: Session, subject: Subject, prediction: Prediction, preview_key: str | None
) -> None:
    if any(reason.code is ReasonCode.NOT_MODEL_INPUT for reason in prediction.reasons):
        subject.set_outcome(session, InstanceOutcome.NOT_MODEL_INPUT)
        return
    recorded = record_prediction(session, prediction, subject.instance_key, preview_key)
    subject.set_outcome(session, InstanceOutcome.PREDICTED)
    ledger.enqueue(session, JobKind.REPORT, recorded)

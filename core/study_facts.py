"""What the record holds of a study at this moment: how its instances ended, and its eyes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, exists
from sqlmodel import Session, col, select

from core.reviews import withheld_predictions
from core.study_eyes import Eye, EyeResult, tell_eyes
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.scan import ScanKind

_UNFINISHED: Final = (JobStatus.QUEUED, JobStatus.RUNNING)
#: An instance of several results counts as the best of them.
_BEST_FIRST: Final = (
    PredictionStatus.FINAL,
    PredictionStatus.NOT_ASSESSABLE,
    PredictionStatus.FAILED,
)
_COUNTED_AS: Final = {
    PredictionStatus.FINAL: "scored",
    PredictionStatus.NOT_ASSESSABLE: "not_assessable",
    PredictionStatus.FAILED: "failed",
}


@dataclass(frozen=True)
class StudyFacts:
    """How many instances were received, how each ended (the parts add up), and the eyes.

    Attributes
    ----------
    failed
        Their analysis stopped, with a failed prediction or without any.
    pending
        Their analysis goes on.
    """

    received: int
    scored: int
    not_assessable: int
    failed: int
    pending: int
    not_model_input: int
    eyes: tuple[Eye, ...]

    def as_columns(self) -> dict[str, Any]:
        """Return it as the columns of a summary."""
        return {**vars(self), "eyes": [eye.as_json() for eye in self.eyes]}


def read_facts(session: Session, study_key: int) -> StudyFacts:
    """Return what is known of a study now; our own reports do not count."""
    outcomes = _outcomes(session, study_key)
    results = _standing_results(session, study_key)
    stopped = _stopped(session, [key for key, how in outcomes.items() if _is_pending(how)])
    counts = Counter(
        _count_as(how, (r.status for owner, r in results if owner == key), key in stopped)
        for key, how in outcomes.items()
    )
    return StudyFacts(
        received=len(outcomes),
        scored=counts["scored"],
        not_assessable=counts["not_assessable"],
        failed=counts["failed"],
        pending=counts["pending"],
        not_model_input=counts["not_model_input"],
        eyes=tell_eyes([result for _, result in results]),
    )


def studies_at_work(session: Session, study_keys: Sequence[int]) -> set[int]:
    """Return which of these studies have an instance whose analysis is not finished."""
    statement = (
        select(SeriesRow.study_key)
        .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
        .where(col(SeriesRow.study_key).in_(study_keys))
        .where(col(InstanceRow.outcome) == InstanceOutcome.PENDING, _has_job(_UNFINISHED))
        .distinct()
    )
    return set(session.exec(statement).all())


def _has_job(statuses: Iterable[JobStatus]) -> ColumnElement[bool]:
    return exists().where(
        col(JobRow.kind) == JobKind.ANALYSE,
        col(JobRow.subject) == cast(col(InstanceRow.id), String),
        col(JobRow.status).in_(list(statuses)),
    )


def _outcomes(session: Session, study_key: int) -> dict[int, str]:
    statement = (
        select(InstanceRow.id, InstanceRow.outcome)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(SeriesRow.study_key) == study_key)
        .where(col(InstanceRow.origin) == InstanceOrigin.RECEIVED)
    )
    return {int(key): how for key, how in session.exec(statement).all() if key is not None}


def _standing_results(session: Session, study_key: int) -> list[tuple[int, EyeResult]]:
    statement = (
        select(PredictionRow, InstanceRow.sop_instance_uid)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .where(col(SeriesRow.study_key) == study_key)
        .where(col(PredictionRow.status) != PredictionStatus.SUPERSEDED)
        .order_by(col(PredictionRow.id))
    )
    found = session.exec(statement).all()
    withheld = withheld_predictions(session, [row.id for row, _ in found])
    return [(row.instance_key, _result_of(row, uid, row.id in withheld)) for row, uid in found]


def _result_of(row: PredictionRow, sop_instance_uid: str, is_withheld: bool) -> EyeResult:
    return EyeResult(
        prediction_id=row.id,
        sop_instance_uid=sop_instance_uid,
        status=PredictionStatus(row.status),
        laterality=Laterality(row.laterality) if row.laterality else None,
        mean_deviation_db=row.mean_deviation_db,
        quality_score=row.quality_score,
        acquired_at=row.acquired_at,
        predicted_at=row.predicted_at,
        scan_kind=ScanKind(row.scan_kind) if row.scan_kind else None,
        model=f"{row.model_name} {row.model_version}",
        reasons=tuple(reason["code"] for reason in row.reasons),
        is_withheld=is_withheld,
    )


def _stopped(session: Session, instance_keys: Sequence[int]) -> set[int]:
    """Return which of these pending instances nobody works on any more."""
    if not instance_keys:
        return set()
    statement = select(InstanceRow.id).where(
        col(InstanceRow.id).in_(instance_keys), ~_has_job(_UNFINISHED)
    )
    return {int(key) for key in session.exec(statement).all() if key is not None}


def _is_pending(outcome: str) -> bool:
    return outcome == InstanceOutcome.PENDING


def _count_as(outcome: str, statuses: Iterable[PredictionStatus], is_stopped: bool) -> str:
    of_instance = set(statuses)
    for status in _BEST_FIRST:
        if status in of_instance:
            return _COUNTED_AS[status]
    if _is_pending(outcome):
        return "failed" if is_stopped else "pending"
    return "not_model_input"

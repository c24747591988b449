"""What holds a study: as long as one of these is true of an instance of it, nothing of it goes.

Another one is a line in `HOLDS`: a condition on the row of an instance.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, String, and_, cast, exists, literal_column, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import GenericFunction
from sqlmodel import Session, col, select

from core.tables.commitments import CommitmentRow
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.instances import InstanceOrigin, InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.tables.reports import ReportRow
from core.tables.reviews import ReviewRequestRow
from core.tables.series import SeriesRow
from core.tables.study_summaries import StudySummaryRow
from core.values.prediction import PredictionStatus

_UNFINISHED: Final = (JobStatus.QUEUED, JobStatus.RUNNING)
_ANSWERS: Final = (PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE)
#: The subject of an instance's analyse job.
_SUBJECT: Final = cast(col(InstanceRow.id), String)


class _Elements(GenericFunction[Any]):
    """The elements of a JSON list as rows with one column, `value`."""

    name = "jsonb_array_elements"
    inherit_cache = True


@compiles(_Elements, "sqlite")
def _elements_in_sqlite(element: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each{compiler.process(element.clause_expr, **options)}"


@dataclass(frozen=True)
class Hold:
    """A reason why a study stays.

    Attributes
    ----------
    code
        What programs read: add and never rename.
    meaning
        What an administrator reads, with what to do.
    condition
        Of a row of `instances` joined with its row of `series`.
    """

    code: str
    meaning: str
    condition: ColumnElement[bool]


def _subjects(kind: JobKind) -> Select[str]:
    return select(JobRow.subject).where(
        col(JobRow.kind) == kind, col(JobRow.status).in_(_UNFINISHED)
    )


def _is_waiting_for_analysis() -> ColumnElement[bool]:
    return or_(
        col(InstanceRow.outcome) == InstanceOutcome.PENDING,
        _SUBJECT.in_(_subjects(JobKind.ANALYSE)),
        _SUBJECT.in_(_subjects(JobKind.RESCORE)),
    )


def _is_waiting_to_be_read() -> ColumnElement[bool]:
    return _SUBJECT.in_(_subjects(JobKind.READ_FIELD))


def _has_no_answer() -> ColumnElement[bool]:
    failed = exists().where(
        col(JobRow.kind) == JobKind.ANALYSE,
        col(JobRow.subject) == _SUBJECT,
        col(JobRow.status) == JobStatus.FAILED,
    )
    answered = exists().where(
        col(PredictionRow.instance_key) == col(InstanceRow.id),
        # Said once more in the words of the index.
        col(PredictionRow.status) != PredictionStatus.SUPERSEDED,
        col(PredictionRow.status).in_(_ANSWERS),
    )
    was_to_be_answered = or_(col(InstanceRow.outcome) == InstanceOutcome.PREDICTED, failed)
    return and_(was_to_be_answered, ~answered)


def _is_waiting_for_report() -> ColumnElement[bool]:
    reported = exists().where(col(ReportRow.prediction_id) == col(PredictionRow.id))
    unreported = exists().where(
        col(PredictionRow.instance_key) == col(InstanceRow.id),
        col(PredictionRow.status) != PredictionStatus.SUPERSEDED,
        ~reported,
    )
    at_work = select(PredictionRow.instance_key).where(
        col(PredictionRow.id).in_(_subjects(JobKind.REPORT))
    )
    return or_(unreported, col(InstanceRow.id).in_(at_work))


def _is_waiting_for_report_of_both_eyes() -> ColumnElement[bool]:
    summaries = select(StudySummaryRow.study_key).where(
        cast(col(StudySummaryRow.id), String).in_(_subjects(JobKind.REPORT_STUDY))
    )
    return col(SeriesRow.study_key).in_(summaries)


def _is_under_review() -> ColumnElement[bool]:
    asked = select(PredictionRow.instance_key).join(
        ReviewRequestRow, col(ReviewRequestRow.prediction_id) == col(PredictionRow.id)
    )
    return col(InstanceRow.id).in_(asked)


def _is_asked_for_commitment() -> ColumnElement[bool]:
    pair = _Elements(col(CommitmentRow.instances)).table_valued("value")
    named = (
        select(pair.c.value.op("->>")(literal_column("1")))
        .select_from(CommitmentRow)
        .join(pair, true())
        .where(col(CommitmentRow.reported_at).is_(None))
    )
    return col(InstanceRow.sop_instance_uid).in_(named)


def _is_on_its_way() -> ColumnElement[bool]:
    """Whether a report of the same study has not arrived where it is to go."""
    report, series = aliased(InstanceRow), aliased(SeriesRow)
    unsent = or_(
        col(DeliveryRow.state).in_((DeliveryState.WAITING, DeliveryState.SENDING)),
        and_(
            col(DeliveryRow.state) == DeliveryState.GAVE_UP, col(DeliveryRow.dismissed_at).is_(None)
        ),
    )
    studies = (
        select(series.study_key)
        .join(report, col(report.series_key) == col(series.id))
        .join(DeliveryRow, col(DeliveryRow.instance_key) == col(report.id))
        .where(unsent)
    )
    return col(SeriesRow.study_key).in_(studies)


HOLDS: Final = (
    Hold("not_scored", "its analysis is not done", _is_waiting_for_analysis()),
    Hold("field_not_read", "its measured field is not read", _is_waiting_to_be_read()),
    Hold("no_answer", "its analysis failed: see arcuate jobs", _has_no_answer()),
    Hold("not_reported", "its reports are not built: see arcuate jobs", _is_waiting_for_report()),
    Hold("under_review", "a review of its result is asked for", _is_under_review()),
    Hold(
        "both_eyes_not_reported",
        "the report of both eyes is not built: see arcuate jobs",
        _is_waiting_for_report_of_both_eyes(),
    ),
    Hold(
        "commitment_unanswered",
        "a device was not told yet that it is kept: see arcuate jobs",
        _is_asked_for_commitment(),
    ),
    Hold(
        "not_delivered",
        "a result has not arrived where it is to go: see arcuate deliveries",
        _is_on_its_way(),
    ),
)


def holds_of(session: Session, study_keys: Sequence[int]) -> Mapping[int, list[Hold]]:
    """Return what holds each of these studies, by primary key; nothing for what may go."""
    found: dict[int, list[Hold]] = defaultdict(list)
    for hold in HOLDS:
        statement = (
            select(SeriesRow.study_key)
            .join(InstanceRow, col(InstanceRow.series_key) == col(SeriesRow.id))
            .where(col(SeriesRow.study_key).in_(study_keys))
            .where(col(InstanceRow.origin) == InstanceOrigin.RECEIVED, hold.condition)
            .distinct()
        )
        for key in session.exec(statement).all():
            found[key].append(hold)
    return found

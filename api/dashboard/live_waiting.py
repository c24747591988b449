"""Scans that came and have no answer yet, newest first, and how many there are."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Integer, Select, cast, func, select
from sqlmodel import Session, col

from api.dashboard.live_filter import LiveFilter
from api.dashboard.live_row import LiveRow, waiting_row
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow

#: The newest of each kind are looked at, and so many of them are shown; the queue shows the others.
_MOST_LOOKED_AT: Final = 200
MOST_SHOWN: Final = 20
_OPEN: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


def count_waiting(session: Session) -> int:
    """Return how many scans have no answer yet."""
    statement = select(func.count()).where(
        col(JobRow.status).in_(_OPEN), col(JobRow.kind) == JobKind.ANALYSE
    )
    count: int = session.execute(statement).scalar_one()
    return count


def count_failed(session: Session) -> int:
    """Return how many jobs of any kind stopped."""
    statement = select(func.count()).where(col(JobRow.status) == JobStatus.FAILED)
    count: int = session.execute(statement).scalar_one()
    return count


def waiting_scans(
    session: Session, wanted: LiveFilter, patient_keys: Sequence[int] | None
) -> list[LiveRow]:
    """Return the newest scans that wait for their turn or are being scored."""
    found = [
        row
        for status in _OPEN
        for row in session.execute(_select(status, wanted, patient_keys)).all()
    ]
    newest_first = sorted(found, key=lambda row: -row.job_id)
    return [waiting_row(row) for row in newest_first[:MOST_SHOWN]]


def _select(
    status: JobStatus, wanted: LiveFilter, patient_keys: Sequence[int] | None
) -> Select[Any]:
    jobs = (
        select(col(JobRow.id), col(JobRow.subject), col(JobRow.status), col(JobRow.error))
        .where(col(JobRow.status) == status, col(JobRow.kind) == JobKind.ANALYSE)
        # As the index has them.
        .order_by(col(JobRow.priority).desc(), col(JobRow.id).desc())
        .limit(_MOST_LOOKED_AT)
        .subquery()
    )
    statement = (
        select(
            jobs.c.id.label("job_id"),
            jobs.c.status,
            jobs.c.error,
            col(SeriesRow.laterality),
            col(SeriesRow.manufacturer),
            col(SeriesRow.manufacturer_model_name),
            col(InstanceRow.received_at),
            col(PatientRow.id).label("patient_key"),
            col(PatientRow.patient_id),
            col(PatientRow.issuer),
            col(PatientRow.name),
        )
        .join(InstanceRow, col(InstanceRow.id) == cast(jobs.c.subject, Integer))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
    )
    conditions = _conditions(wanted, patient_keys)
    return statement.where(*conditions).order_by(jobs.c.id.desc()).limit(MOST_SHOWN)


def _conditions(wanted: LiveFilter, patient_keys: Sequence[int] | None) -> list[Any]:
    received_at = col(InstanceRow.received_at)
    conditions: list[Any] = []
    if wanted.eye is not None:
        # Many devices say it only where the analysis reads it.
        conditions.append(col(SeriesRow.laterality).in_([wanted.eye, ""]))
    if wanted.device is not None:
        maker, _, model = wanted.device.partition("\\")
        conditions.append(col(SeriesRow.manufacturer_model_name) == model)
        conditions.append(col(SeriesRow.manufacturer) == maker)
    if wanted.came_from is not None:
        conditions.append(received_at >= wanted.came_from)
    if wanted.came_before is not None:
        conditions.append(received_at < wanted.came_before)
    if patient_keys is not None:
        conditions.append(col(PatientRow.id).in_(patient_keys))
    return conditions

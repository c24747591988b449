"""Jobs whose ground has changed: begun anew, or withdrawn. Whoever works on one loses its claim."""

from collections.abc import Sequence
from typing import Any, Final

from sqlmodel import Session, col, update

from core.clock import utc_now
from core.database import database_seconds
from core.ledger import enqueue
from core.tables.jobs import JobKind, JobRow, JobStatus

_UNFINISHED: Final = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)


def begin_anew(session: Session, kind: JobKind, subject: str) -> None:
    """Have a subject's work done from its beginning, by the job that waits, runs or stopped."""
    values = {
        "status": JobStatus.QUEUED,
        "attempts": 0,
        "available_at": database_seconds(session),
        "error": None,
        "finished_at": None,
    }
    if not _recall(session, kind, [subject], _UNFINISHED, values):
        enqueue(session, kind, subject)


def interrupt(session: Session, kind: JobKind, subject: str) -> None:
    """Take a subject's work from whoever is at it, to be done from its beginning."""
    values = {"status": JobStatus.QUEUED, "attempts": 0}
    _recall(session, kind, [subject], [JobStatus.RUNNING], values)


def withdraw(session: Session, kind: JobKind, subjects: Sequence[str]) -> None:
    """Let nobody do the work of these subjects any more, nor ask why it failed."""
    values = {"status": JobStatus.DONE, "finished_at": utc_now()}
    _recall(session, kind, subjects, _UNFINISHED, values)


def _recall(
    session: Session,
    kind: JobKind,
    subjects: Sequence[str],
    statuses: Sequence[JobStatus],
    values: dict[str, Any],
) -> int:
    statement = update(JobRow).where(
        col(JobRow.kind) == kind,
        col(JobRow.subject).in_(subjects),
        col(JobRow.status).in_(statuses),
    )
    recalled = session.execute(statement.values(worker=None, lease_until=None, **values))
    return int(recalled.rowcount)  # type: ignore[attr-defined]

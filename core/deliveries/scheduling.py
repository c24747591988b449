"""The job of a destination: there is one to take whenever something is to be done for it."""

from typing import Any

from sqlmodel import Session, col, select, update

from core import ledger
from core.database import database_seconds
from core.tables.jobs import JobKind, JobRow, JobStatus


def wake(session: Session, destination_id: int, hasten: bool = True) -> None:
    """See to it, in the caller's transaction, that a worker looks after a destination.

    A job that runs does not count: it may have looked already. So there can be two for a while;
    the second then waits (`is_served`). A job that waits is locked until the caller's transaction
    ends, so that nobody takes it and looks before. Call it after `append_change`, so that all lock
    the two in one order.

    Parameters
    ----------
    hasten
        Whether a job that waits for a later time is due at once.
    """
    due = database_seconds(session) if hasten else None
    if not schedule(session, destination_id, due):
        ledger.enqueue(session, JobKind.DELIVER, str(destination_id))


def schedule(session: Session, destination_id: int, due: float | None) -> bool:
    """Let the job that waits for a destination be due by then; return whether one waits.

    Parameters
    ----------
    due
        The database's clock, seconds since 1970; None leaves it as it is.
    """
    at: Any = col(JobRow.available_at)
    if due is not None:
        earliest = select(col(JobRow.available_at)).where(*_queued(destination_id))
        waits_until = session.exec(earliest).first()
        at = min(due, waits_until) if waits_until is not None else due
    statement = update(JobRow).where(*_queued(destination_id)).values(available_at=at)
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def is_served(session: Session, destination_id: int, besides: int) -> bool:
    """Whether another job of a destination is held by a worker at this moment.

    Whoever claimed last sees the other's claim, so no two go on.
    """
    statement = select(JobRow.id).where(
        col(JobRow.kind) == JobKind.DELIVER,
        col(JobRow.subject) == str(destination_id),
        col(JobRow.status) == JobStatus.RUNNING,
        col(JobRow.lease_until) > database_seconds(session),
        col(JobRow.id) != besides,
    )
    return session.exec(statement).first() is not None


def _queued(destination_id: int) -> tuple[Any, ...]:
    return (
        col(JobRow.kind) == JobKind.DELIVER,
        col(JobRow.subject) == str(destination_id),
        col(JobRow.status) == JobStatus.QUEUED,
    )

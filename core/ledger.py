"""The ledger of jobs: enqueue, claim by lease, finish, fail.

A step writes its result and enqueues the next job in one transaction, so a crash repeats a step and
never loses one. Times are the database's clock. See docs/decisions/0001-processes-and-ledger.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Float,
    Insert,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    text,
)
from sqlmodel import Session, col, select, update

from core.changes import append_change
from core.claimable import any_claimable, lock_claimable
from core.clock import utc_now
from core.database import DATABASE_SECONDS, database_seconds
from core.driver_statement import DriverStatement
from core.errors import NodeError
from core.tables.changes import ChangeKind
from core.tables.columns import key_of, table_of
from core.tables.jobs import JobKind, JobRow, JobStatus

#: Delay before the second attempt in seconds; it doubles with each further one.
FIRST_RETRY_SECONDS: Final = 2.0
#: Channel on which PostgreSQL announces new jobs.
NOTIFY_CHANNEL: Final = "arcuate_jobs"

#: When a job is due that waits for nothing: whatever becomes of the clock it was added by.
AT_ONCE_SECONDS: Final = 0.0

_ADDED: Final = ("kind", "subject", "priority", "status", "attempts", "created_at")


def _make_add(dialect: str) -> Insert:
    now = literal_column(DATABASE_SECONDS[dialect], Float)
    delay = bindparam("delay_seconds", type_=Float)
    at_once = literal_column(str(AT_ONCE_SECONDS), Float)
    available_at = case((delay > literal_column("0"), now + delay), else_=at_once)
    given: dict[str, Any] = {name: bindparam(name) for name in _ADDED}
    return insert(table_of(JobRow)).values(available_at=available_at, **given)


_ADD: Final = DriverStatement(_make_add)
_NOTIFY: Final = DriverStatement(
    lambda _dialect: select(func.pg_notify(literal_column(f"'{NOTIFY_CHANNEL}'"), text("''")))
)


class LeaseLost(NodeError):
    """Another worker took the job after its lease ended; this result must not be recorded."""


@dataclass(frozen=True)
class Claim:
    """A job this worker holds until its lease ends. `attempt` counts from 1."""

    job_id: int
    kind: JobKind
    subject: str
    attempt: int
    worker: str
    #: Higher is sooner.
    priority: int = 0


def enqueue(
    session: Session, kind: JobKind, subject: str, priority: int = 0, delay_seconds: float = 0.0
) -> None:
    """Add a job in the caller's transaction; workers wake when it commits.

    Parameters
    ----------
    delay_seconds
        How long it waits before a worker may take it.
    """
    enqueue_all(session.connection(), kind, [subject], priority, delay_seconds)


def enqueue_all(
    connection: Connection,
    kind: JobKind,
    subjects: Sequence[str],
    priority: int = 0,
    delay_seconds: float = 0.0,
) -> None:
    """Add a job for each subject in the caller's transaction."""
    if not subjects:
        return
    common = {
        "kind": kind,
        "priority": priority,
        "status": JobStatus.QUEUED,
        "attempts": 0,
        "delay_seconds": delay_seconds,
        "created_at": utc_now(),
    }
    _ADD.run_each(connection, [{**common, "subject": subject} for subject in subjects])
    if connection.dialect.name == "postgresql":
        _NOTIFY.run(connection, {})


def is_any_claimable(session: Session, kind: JobKind) -> bool:
    """Whether a job of a kind waits, or was left by a worker that died.

    Only looks: claiming is a write, for which whoever stores an instance would have to wait, and
    there are many workers to claim in vain.
    """
    return any_claimable(session, kind, database_seconds(session))


def claim(
    session: Session,
    kind: JobKind,
    worker: str,
    limit: int,
    lease_seconds: float,
    beside: bool = False,
) -> list[Claim]:
    """Take up to `limit` waiting jobs of a kind, soonest first.

    A job that was tried before is claimed alone: in a group, one bad job that kills its worker
    would take its neighbours' attempts with it.

    Parameters
    ----------
    beside
        Whether the worker holds other jobs; where one that was tried before comes next, it then
        gets none.
    """
    now = database_seconds(session)
    waiting = lock_claimable(session, kind, now, limit)
    return [_take(job, worker, now + lease_seconds) for job in _group(waiting, beside)]


def renew(session: Session, claimed: Claim, lease_seconds: float) -> None:
    """Hold a job for longer: its work takes more time than the lease it was claimed with.

    Raises
    ------
    LeaseLost
        If someone else took it meanwhile.
    """
    _settle(session, claimed, lease_until=database_seconds(session) + lease_seconds)


def lock(session: Session, claimed: Claim) -> None:
    """Keep others from a job until the transaction ends; raises as `finish` does."""
    _settle(session, claimed, worker=claimed.worker)


def finish(session: Session, claimed: Claim) -> None:
    """Mark a job done in the transaction that records its result.

    Raises
    ------
    LeaseLost
        If someone else took it meanwhile; the transaction must be rolled back.
    """
    _settle(session, claimed, status=JobStatus.DONE, finished_at=utc_now(), lease_until=None)


def fail(session: Session, claimed: Claim, error: str, retry: bool, maximum_attempts: int) -> bool:
    """Record a failed attempt; return whether the job will be tried again.

    Parameters
    ----------
    error
        What an administrator reads; without patient data.
    retry
        Whether trying again may help.
    """
    if retry and claimed.attempt < maximum_attempts:
        delay = FIRST_RETRY_SECONDS * 2 ** (claimed.attempt - 1)
        available = database_seconds(session) + delay
        _settle(
            session,
            claimed,
            status=JobStatus.QUEUED,
            available_at=available,
            lease_until=None,
            error=error,
        )
        return True
    _settle(
        session,
        claimed,
        status=JobStatus.FAILED,
        lease_until=None,
        error=error,
        finished_at=utc_now(),
    )
    append_change(session, ChangeKind.JOB_FAILED, str(claimed.job_id))
    return False


def give_back(session: Session, claimed: Claim, delay_seconds: float = 0.0) -> None:
    """Return a job untried, to be taken again after a delay.

    For when something else is missing: the database or the storage was away, or an object the job
    needs is still on its way. That is no fault of the job, so the attempt does not count.
    """
    _settle(
        session,
        claimed,
        status=JobStatus.QUEUED,
        lease_until=None,
        attempts=claimed.attempt - 1,
        available_at=database_seconds(session) + delay_seconds,
    )


def requeue(session: Session, job_id: int) -> bool:
    """Give a failed job fresh attempts; return whether it had failed."""
    statement = (
        update(JobRow)
        .where(col(JobRow.id) == job_id, col(JobRow.status) == JobStatus.FAILED)
        .values(status=JobStatus.QUEUED, attempts=0, available_at=database_seconds(session))
    )
    return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def _group(waiting: Sequence[JobRow], beside: bool) -> Sequence[JobRow]:
    if waiting and waiting[0].attempts > 0:
        return [] if beside else waiting[:1]
    return [job for job in waiting if job.attempts == 0]


def _take(job: JobRow, worker: str, lease_until: float) -> Claim:
    job.status = JobStatus.RUNNING
    job.worker = worker
    job.attempts += 1
    job.lease_until = lease_until
    return Claim(key_of(job), JobKind(job.kind), job.subject, job.attempts, worker, job.priority)


def _settle(session: Session, claimed: Claim, **values: Any) -> None:
    statement = update(JobRow).where(
        col(JobRow.id) == claimed.job_id,
        col(JobRow.status) == JobStatus.RUNNING,
        col(JobRow.worker) == claimed.worker,
        col(JobRow.attempts) == claimed.attempt,
    )
    if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        raise LeaseLost

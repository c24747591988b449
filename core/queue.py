"""What waits in the ledger and why, for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, literal
from sqlmodel import Session, col, select

from core import ledger
from core.clock import utc_now
from core.database import database_seconds
from core.errors import NodeError, RecordNotFound
from core.tables.jobs import JobKind, JobRow, JobStatus

#: What somebody may have to look after; what is done needs nobody.
OPEN: Final = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.FAILED)
_UNDONE: Final = (JobStatus.QUEUED, JobStatus.RUNNING)
#: A job that could be taken for longer than this, while nobody works on its kind, is forgotten.
_FORGOTTEN_SECONDS: Final = 60.0
_OF_INFER: Final = (
    JobKind.ANALYSE,
    JobKind.SCORE_TENSORS,
    JobKind.RESCORE,
    JobKind.SCORE_JOB,
    JobKind.SCORE_JOB_GPU,
)


class JobNotFailed(NodeError):
    """Only a job that failed can be tried again; this one waits, runs or is done."""


class WaitReason(StrEnum):
    """Why a job is not done."""

    #: Others are before it, or a worker is about to take it.
    ITS_TURN = "its_turn"
    #: It could have been taken long ago, and no process works on jobs of its kind.
    NOBODY_WORKS = "nobody_works"
    #: It failed, or something it needs is not there yet: it is tried again later.
    NEXT_ATTEMPT = "next_attempt"
    #: A worker works on it.
    BEING_WORKED_ON = "being_worked_on"
    #: The worker that held it did not come back; the next one takes it.
    WORKER_LOST = "worker_lost"
    #: Its attempts are used up, or no further one would help.
    STOPPED = "stopped"
    #: It is done.
    DONE = "done"


@dataclass(frozen=True)
class QueuedJob:
    """A job, and why it waits.

    Attributes
    ----------
    seconds
        Until its next attempt, or until its lease ends; None where neither is to come.
    """

    row: JobRow
    reason: WaitReason
    seconds: float | None


@dataclass(frozen=True)
class QueueCount:
    """How many jobs of a kind stand so."""

    kind: str
    status: str
    jobs: int


def count_open(session: Session) -> list[QueueCount]:
    """Return how many jobs wait, run and stopped, by kind."""
    status, kind = col(JobRow.status), col(JobRow.kind)
    statement = select(kind, status, func.count()).where(status.in_(OPEN)).group_by(status, kind)
    return [QueueCount(*found) for found in session.exec(statement.order_by(kind, status)).all()]


def count_left_lying(session: Session) -> Mapping[str, int]:
    """Return how many jobs of each role could be done, while no process of that role does any."""
    now, status, kind = database_seconds(session), col(JobRow.status), col(JobRow.kind)
    is_running, lease_until = status == JobStatus.RUNNING, col(JobRow.lease_until)
    # What waits for nothing is available since ever: only when it was added tells for how long.
    long_ago = utc_now() - timedelta(seconds=_FORGOTTEN_SECONDS)
    is_forgotten = (
        (status == JobStatus.QUEUED)
        & (col(JobRow.available_at) < now - _FORGOTTEN_SECONDS)
        & (col(JobRow.created_at) < long_ago)
    )
    is_left = is_forgotten | (is_running & (lease_until < now))
    held = session.exec(select(JobRow.kind).where(is_running, lease_until >= now).distinct())
    # By role, not by kind: what waits behind other work of a process is its to do.
    at_work = {role_of(found) for found in held.all()}
    counts = Counter[str]()
    # The states by themselves, too: by them alone an index leaves out all that was ever done.
    left = select(kind, func.count()).where(status.in_(_UNDONE), is_left).group_by(kind)
    for found, jobs in session.exec(left):
        counts[role_of(found)] += jobs
    return {role: jobs for role, jobs in counts.items() if role not in at_work}


def list_queue(
    session: Session, limit: int, statuses: Sequence[str] = OPEN, kind: str | None = None
) -> list[QueuedJob]:
    """Return jobs that stand so, newest first, each with why it waits."""
    statement = queue_statement(limit, statuses, kind)
    return _told(session, session.exec(statement).all())


def queue_statement(limit: int, statuses: Sequence[str], kind: str | None = None) -> Any:
    """Return the statement that selects them."""
    statement = select(JobRow).where(col(JobRow.status).in_(statuses))
    if kind is not None:
        statement = statement.where(col(JobRow.kind) == kind)
    # By its bare key either database would walk all that was ever done.
    newest_first = (col(JobRow.id) + literal(0)).desc()
    return statement.order_by(newest_first).limit(limit)


def find_job(session: Session, job_id: int) -> QueuedJob:
    """Return one job.

    Raises
    ------
    RecordNotFound
        If there is none of that id.
    """
    row = session.get(JobRow, job_id)
    if row is None:
        raise RecordNotFound(f"There is no job {job_id}")
    [job] = _told(session, [row])
    return job


def retry_job(session: Session, job_id: int) -> JobRow:
    """Give a failed job fresh attempts.

    Raises
    ------
    RecordNotFound
        If there is none of that id.
    JobNotFailed
        If it did not fail, or somebody retried it already.
    """
    row = find_job(session, job_id).row
    if not ledger.requeue(session, job_id):
        raise JobNotFailed
    session.refresh(row)
    return row


def count_before(session: Session, row: JobRow) -> int:
    """Return how many jobs of its kind are taken before this one."""
    is_sooner = (col(JobRow.priority) > row.priority) | (
        (col(JobRow.priority) == row.priority) & (col(JobRow.id) < row.id)
    )
    statement = select(func.count()).where(
        col(JobRow.status) == JobStatus.QUEUED, col(JobRow.kind) == row.kind, is_sooner
    )
    return session.exec(statement).one()


def _told(session: Session, rows: Sequence[JobRow]) -> list[QueuedJob]:
    now = database_seconds(session)
    is_running = select(JobRow.kind).where(
        col(JobRow.status) == JobStatus.RUNNING, col(JobRow.lease_until) >= now
    )
    worked_on = set(session.exec(is_running.distinct()).all())
    return [QueuedJob(row, *_reason(row, now, row.kind in worked_on)) for row in rows]


def _reason(row: JobRow, now: float, is_worked_on: bool) -> tuple[WaitReason, float | None]:
    match row.status:
        case JobStatus.DONE:
            return WaitReason.DONE, None
        case JobStatus.FAILED:
            return WaitReason.STOPPED, None
        case JobStatus.RUNNING:
            left = (row.lease_until or now) - now
            return (
                (WaitReason.BEING_WORKED_ON, left) if left >= 0 else (WaitReason.WORKER_LOST, None)
            )
    if row.available_at > now:
        return WaitReason.NEXT_ATTEMPT, row.available_at - now
    could_be_taken_since = row.available_at or row.created_at.timestamp()
    is_forgotten = now - could_be_taken_since > _FORGOTTEN_SECONDS and not is_worked_on
    return (WaitReason.NOBODY_WORKS if is_forgotten else WaitReason.ITS_TURN), None


def role_of(kind: str) -> str:
    """Return the role whose process works on jobs of a kind."""
    return "infer" if kind in _OF_INFER else "deliver"

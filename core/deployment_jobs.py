"""Jobs of the Watson-compatible API: given here, scored by a process that scores, asked for later.

Each has one job of the ledger while it waits or runs.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from core import ledger
from core.clock import utc_now
from core.errors import NodeError, RecordNotFound
from core.job_ids import new_job_id
from core.ledger import Claim
from core.tables.deployment_jobs import DeploymentJobRow, DeploymentJobState
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.values.prediction import ModelIdentity

#: Jobs that may wait at a time.
MOST_WAITING: Final = 256
#: Jobs of one deployment that run at a time; the others wait.
MOST_TOGETHER: Final = 2
#: Until one that would be a third is looked at again, in seconds.
_TURN_SECONDS: Final = 0.5
_KINDS: Final = (JobKind.SCORE_JOB, JobKind.SCORE_JOB_GPU)
_OPEN: Final = (DeploymentJobState.QUEUED, DeploymentJobState.RUNNING)
_LONGEST_FAILURE: Final = 2000


class TooManyJobs(NodeError):
    """Too many jobs wait; give this one again when some are done."""


@dataclass(frozen=True)
class NewJob:
    """What a job is given.

    Attributes
    ----------
    scoring
        What it was asked: `input_data`, or references to what is kept here.
    needs_gpu
        Whether only a process that scores on a GPU may take it.
    giver
        Subject of who gives it; empty for nobody in particular.
    """

    name: str
    deployment_id: str
    model: ModelIdentity
    hardware: str
    scoring: Mapping[str, Any]
    needs_gpu: bool = False
    names_studies: bool = False
    giver: str = ""


def create_job(session: Session, job: NewJob, now: datetime | None = None) -> DeploymentJobRow:
    """Keep a job in the caller's transaction, and let it wait for its turn.

    Raises
    ------
    TooManyJobs
        If so many wait that it must not.
    """
    if _count_waiting(session) >= MOST_WAITING:
        raise TooManyJobs
    request = packed(job.scoring)
    row = DeploymentJobRow(
        id=new_job_id(job.giver),
        name=job.name,
        deployment_id=job.deployment_id,
        model_name=job.model.name,
        model_version=job.model.version,
        hardware=job.hardware,
        request=request,
        names_studies=job.names_studies,
        size_bytes=len(request),
        created_at=now or utc_now(),
    )
    session.add(row)
    session.flush()
    kind = JobKind.SCORE_JOB_GPU if job.needs_gpu else JobKind.SCORE_JOB
    ledger.enqueue(session, kind, row.id)
    return row


def find_job(session: Session, job_id: str) -> DeploymentJobRow:
    """Return a job.

    Raises
    ------
    RecordNotFound
        If there is none of that id, or it is kept no longer.
    """
    row = session.get(DeploymentJobRow, job_id)
    if row is None:
        raise RecordNotFound("There is no such job; finished ones are kept for some days")
    return row


def list_jobs(
    session: Session, start: int, limit: int, condition: ColumnElement[bool]
) -> tuple[Sequence[DeploymentJobRow], int]:
    """Return some jobs, newest first, without what they hold, and how many there are."""
    statement = select(DeploymentJobRow).where(condition)
    statement = statement.options(
        defer(DeploymentJobRow.request),  # type: ignore[arg-type]
        defer(DeploymentJobRow.predictions),  # type: ignore[arg-type]
    )
    newest = (col(DeploymentJobRow.created_at).desc(), col(DeploymentJobRow.id))
    rows = session.exec(statement.order_by(*newest).offset(start).limit(limit)).all()
    total = session.exec(select(func.count()).select_from(DeploymentJobRow).where(condition)).one()
    return rows, total


def cancel_job(session: Session, job_id: str, now: datetime | None = None) -> None:
    """Stop a job that waits or runs; one that is finished stays as it is.

    Raises
    ------
    RecordNotFound
        If there is none of that id.
    """
    row = find_job(session, job_id)
    if row.state not in _OPEN:
        return
    # First, as a worker does: of two that hold one and wait for the other, one would be refused.
    _leave_ledger(session, [job_id])
    session.refresh(row, with_for_update=True)
    if row.state in _OPEN:
        row.state, row.finished_at = DeploymentJobState.CANCELED, now or utc_now()


def remove_job(session: Session, job_id: str) -> None:
    """Remove a job, wherever it stands.

    Raises
    ------
    RecordNotFound
        If there is none of that id.
    """
    row = find_job(session, job_id)
    _leave_ledger(session, [job_id])
    session.delete(row)


def begin_job(
    session: Session, claimed: Claim, now: datetime | None = None
) -> DeploymentJobRow | None:
    """Return the job of a claim, now running; None where it must wait or is gone.

    Then the claim is settled.

    Raises
    ------
    LeaseLost
        If it was cancelled, or another worker has it.
    """
    # First, as whoever cancels it does: what they say of it must not be written over.
    ledger.lock(session, claimed)
    row = session.get(DeploymentJobRow, claimed.subject)
    if row is None or row.state == DeploymentJobState.CANCELED:
        ledger.finish(session, claimed)
        return None
    if _running_before(session, row, claimed) >= MOST_TOGETHER:
        ledger.give_back(session, claimed, _TURN_SECONDS)
        return None
    if row.state != DeploymentJobState.RUNNING:
        row.state, row.running_at = DeploymentJobState.RUNNING, now or utc_now()
        row.finished_at, row.failure, row.failure_code = None, "", ""
    return row


def complete_job(
    session: Session,
    claimed: Claim,
    predictions: Sequence[Mapping[str, Any]],
    now: datetime | None = None,
) -> None:
    """Keep what came of a job, in the transaction that settles its claim.

    Raises
    ------
    LeaseLost
        If it was cancelled, or another worker has it.
    """
    ledger.finish(session, claimed)
    row = find_job(session, claimed.subject)
    row.predictions = packed(predictions)
    row.size_bytes = len(row.request) + len(row.predictions)
    row.state, row.finished_at = DeploymentJobState.COMPLETED, now or utc_now()


def fail_job(
    session: Session, job_id: str, code: str, failure: str, now: datetime | None = None
) -> None:
    """Keep why a job has no result; one that is gone or cancelled is left."""
    row = session.get(DeploymentJobRow, job_id)
    if row is None or row.state not in _OPEN:
        return
    row.state, row.finished_at = DeploymentJobState.FAILED, now or utc_now()
    row.failure_code, row.failure = code, failure[:_LONGEST_FAILURE]


def packed(value: object) -> bytes:
    """Return JSON, compressed."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), level=1)


def unpacked(kept: bytes) -> Any:
    """Return what `packed` kept."""
    return json.loads(zlib.decompress(kept))


def _count_waiting(session: Session) -> int:
    waits = col(DeploymentJobRow.state) == DeploymentJobState.QUEUED
    return session.exec(select(func.count()).select_from(DeploymentJobRow).where(waits)).one()


def _running_before(session: Session, row: DeploymentJobRow, claimed: Claim) -> int:
    """Return how many jobs of the same deployment workers hold that were given before."""
    same = select(DeploymentJobRow.id).where(
        col(DeploymentJobRow.deployment_id) == row.deployment_id
    )
    statement = select(func.count()).where(
        col(JobRow.kind).in_(_KINDS),
        col(JobRow.status) == JobStatus.RUNNING,
        col(JobRow.id) < claimed.job_id,
        col(JobRow.subject).in_(same),
    )
    return session.exec(statement).one()


def _leave_ledger(session: Session, job_ids: Sequence[str]) -> None:
    # A worker that holds the claim finds its lease gone, and drops what it has.
    is_theirs = col(JobRow.kind).in_(_KINDS) & col(JobRow.subject).in_(job_ids)
    session.execute(delete(JobRow).where(is_theirs))

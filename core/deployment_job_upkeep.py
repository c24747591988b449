"""Jobs of the Watson-compatible API that are kept no longer, or that nobody can take."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.deployment_jobs import fail_job, remove_job
from core.tables.deployment_jobs import DeploymentJobRow
from core.tables.jobs import JobKind, JobRow, JobStatus

#: Finished jobs hold this much together; beyond it the oldest go before their time.
MOST_KEPT_BYTES: Final = 2 << 30
#: How long a job waits for a GPU while no process works on any.
GPU_PATIENCE: Final = timedelta(minutes=10)
_BATCH: Final = 200


def remove_finished(session: Session, until: datetime, most_bytes: int = MOST_KEPT_BYTES) -> int:
    """Remove jobs that finished before a moment, and the oldest of too many; return how many.

    At most some hundred at a time: the next call goes on.
    """
    finished = col(DeploymentJobRow.finished_at)
    kept = session.exec(select(func.sum(DeploymentJobRow.size_bytes))).one() or 0
    statement = select(DeploymentJobRow.id, DeploymentJobRow.size_bytes, finished)
    oldest = statement.where(finished.is_not(None)).order_by(finished).limit(_BATCH)
    removed = 0
    for job_id, size_bytes, finished_at in session.exec(oldest).all():
        if finished_at is None or (finished_at >= until and kept <= most_bytes):
            break
        remove_job(session, job_id)
        kept, removed = kept - size_bytes, removed + 1
    return removed


def fail_without_gpu(session: Session, now: datetime) -> int:
    """Fail the jobs that wait for a GPU where no process has one; return how many.

    Where one works on such jobs, or did a moment ago, they wait for their turn.
    """
    waiting = select(JobRow).where(
        col(JobRow.kind) == JobKind.SCORE_JOB_GPU,
        col(JobRow.status) == JobStatus.QUEUED,
        col(JobRow.created_at) < now - GPU_PATIENCE,
    )
    # Whoever cancels or takes one at this moment decides about it.
    rows = session.exec(waiting.limit(_BATCH).with_for_update(skip_locked=True)).all()
    if not rows or _is_any_at_work(session, now):
        return 0
    for row in rows:
        failure = "No process here scores on a GPU; ask for S, or start one on a host that has one"
        fail_job(session, row.subject, "hardware_unavailable", failure, now)
        session.delete(row)
    return len(rows)


def _is_any_at_work(session: Session, now: datetime) -> bool:
    at_work = select(JobRow.id).where(
        col(JobRow.kind) == JobKind.SCORE_JOB_GPU,
        (col(JobRow.status) == JobStatus.RUNNING) | (col(JobRow.finished_at) > now - GPU_PATIENCE),
    )
    return session.exec(at_work.limit(1)).first() is not None

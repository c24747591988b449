"""Storage commitment requests nobody will come back to."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import String, cast, delete, exists
from sqlmodel import col

from core.database import Database
from core.logs import get_logger
from core.tables.commitments import CommitmentRow
from core.tables.jobs import JobKind, JobRow, JobStatus

#: How long a request is remembered: long enough to know its Transaction UID again. One that could
#: not be answered holds its instances no longer than that; its device has kept its own copies.
MEMORY: Final = timedelta(days=90)

_log = get_logger(__name__)


def forget_commitments(database: Database, now: datetime) -> int:
    """Remove old requests whose job is not at work; return how many."""
    at_work = exists().where(
        col(JobRow.kind) == JobKind.COMMIT,
        col(JobRow.subject) == cast(col(CommitmentRow.id), String),
        col(JobRow.status).in_((JobStatus.QUEUED, JobStatus.RUNNING)),
    )
    statement = delete(CommitmentRow).where(
        col(CommitmentRow.requested_at) < now - MEMORY, ~at_work
    )
    with database.transaction() as session:
        count = int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
    if count:
        _log.info("commitments_forgotten", requests=count)
    return count

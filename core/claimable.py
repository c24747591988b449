"""Which jobs may be claimed: those that wait, and those left by a worker that died.

One statement for both would read and sort all that waits to take the first of it. Each of these
walks `ix_jobs_claim` and stops, however many wait.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy import select as sql_select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from core.tables.columns import key_of
from core.tables.jobs import JobKind, JobRow, JobStatus


def any_claimable(session: Session, kind: JobKind, now: float) -> bool:
    """Whether there is one; locks nothing."""
    return bool(session.connection().execute(whether_any(kind, now)).scalar_one())


def whether_any(kind: JobKind, now: float) -> Any:
    """Return what selects whether there is one."""
    return whether_any_of([kind], now)


def whether_any_of(kinds: Sequence[JobKind], now: float) -> Any:
    """Return what selects whether there is one, in a column for each kind."""
    return sql_select(*(_is_any(kind, now) for kind in kinds))


def _is_any(kind: JobKind, now: float) -> ColumnElement[bool]:
    # In order, though any would do: without, PostgreSQL may begin at the oldest of all jobs.
    first = col(JobRow.priority).desc()
    found = (
        select(JobRow.id).where(condition).order_by(first).limit(1).scalar_subquery()
        for condition in (_waiting(kind, now), _abandoned(kind, now))
    )
    return or_(*(one.is_not(None) for one in found))


def lock_claimable(session: Session, kind: JobKind, now: float, limit: int) -> Sequence[JobRow]:
    """Return the first of them, highest priority first, and pass over those in other hands."""
    found = list(session.exec(first_abandoned(kind, now, limit)).all())
    missing, priority = limit, session.exec(highest_priority(kind, now)).first()
    while missing > 0 and priority is not None:
        waiting = session.exec(first_waiting(kind, now, priority, missing)).all()
        found += waiting
        missing -= len(waiting)
        if missing:
            priority = session.exec(highest_priority(kind, now, below=priority)).first()
    return sorted(found, key=lambda job: (-job.priority, key_of(job)))[:limit]


def highest_priority(kind: JobKind, now: float, below: int | None = None) -> Any:
    """Return what selects the highest priority of a waiting job, below another one."""
    statement = select(JobRow.priority).where(_waiting(kind, now))
    if below is not None:
        statement = statement.where(col(JobRow.priority) < below)
    return statement.order_by(col(JobRow.priority).desc()).limit(1)


def first_waiting(kind: JobKind, now: float, priority: int, limit: int) -> Any:
    """Return what selects the first that wait with a priority."""
    given = col(JobRow.priority)
    # Were it `=`, the order would be that of the bare key, and PostgreSQL would at times walk all
    # that was ever done.
    condition = and_(_waiting(kind, now), given >= priority, given <= priority)
    return _locked(select(JobRow).where(condition).order_by(given, col(JobRow.id)), limit)


def first_abandoned(kind: JobKind, now: float, limit: int) -> Any:
    """Return what selects the first whose lease has ended."""
    found = select(JobRow).where(_abandoned(kind, now))
    return _locked(found.order_by(col(JobRow.priority).desc(), col(JobRow.id)), limit)


def _locked(statement: Any, limit: int) -> Any:
    return statement.limit(limit).with_for_update(skip_locked=True)


def _waiting(kind: JobKind, now: float) -> ColumnElement[bool]:
    is_queued = and_(col(JobRow.status) == JobStatus.QUEUED, col(JobRow.kind) == kind)
    return and_(is_queued, col(JobRow.available_at) <= now)


def _abandoned(kind: JobKind, now: float) -> ColumnElement[bool]:
    is_running = and_(col(JobRow.status) == JobStatus.RUNNING, col(JobRow.kind) == kind)
    return and_(is_running, col(JobRow.lease_until) < now)

"""Which open summaries are due: enqueued to be settled, or put off while their scans are scored."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from core.ledger import enqueue_all
from core.study_facts import studies_at_work
from core.tables.jobs import JobKind
from core.tables.study_summaries import StudySummaryRow, SummaryState

#: How long a study whose scans are still being scored is left alone.
PUT_OFF: Final = timedelta(seconds=1)
#: Studies looked at in a turn.
_MOST_STUDIES: Final = 200


def has_due(session: Session, now: datetime) -> bool:
    """Whether a summary is due: asked first, because it locks nothing."""
    statement = select(StudySummaryRow.id).where(*_is_due(now)).limit(1)
    return session.exec(statement).first() is not None


def enqueue_due(session: Session, now: datetime) -> int:
    """Enqueue the settling of what is due in the caller's transaction; return how many."""
    statement = (
        select(StudySummaryRow)
        .where(*_is_due(now))
        .order_by(col(StudySummaryRow.due_at))
        .limit(_MOST_STUDIES)
        .with_for_update(skip_locked=True)
    )
    rows = session.exec(statement).all()
    at_work = studies_at_work(session, [row.study_key for row in rows])
    ready = [row for row in rows if row.study_key not in at_work]
    for row in rows:
        row.due_at = now + PUT_OFF if row.study_key in at_work else None
    enqueue_all(session.connection(), JobKind.SETTLE, [str(row.id) for row in ready])
    return len(ready)


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(StudySummaryRow.state) == SummaryState.OPEN,
        col(StudySummaryRow.due_at) <= now,
    )

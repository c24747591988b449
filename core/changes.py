"""The change feed: an ordered, gap-free list of what happened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, col, select

from core.clock import utc_now
from core.tables.changes import ChangeCounterRow, ChangeKind, ChangeRow
from core.tables.columns import table_of

# Made once, and run below the mapper: every store that is received passes here.
_COUNTER: Final = table_of(ChangeCounterRow)
_COUNT: Final = (
    update(_COUNTER)
    .where(_COUNTER.c.id == 1)
    .values(last=_COUNTER.c.last + bindparam("how_many"))
    .returning(_COUNTER.c.last)
)
_ADD: Final = insert(table_of(ChangeRow))


def append_change(
    session: Session, kind: ChangeKind, subject: str, happened_at: datetime | None = None
) -> int:
    """Record a change in the caller's transaction and return its number."""
    return append_changes(session, kind, [subject], happened_at)


def append_changes(
    session: Session,
    kind: ChangeKind,
    subjects: Sequence[str],
    happened_at: datetime | None = None,
) -> int:
    """Record changes of one kind in the caller's transaction; return the last one's number.

    The counter's row stays locked until the transaction ends, so numbers follow the order of
    commits and a rollback leaves no gap. Call it late in a transaction: the lock is then brief.
    """
    connection = session.connection()
    last: int = connection.execute(_COUNT, {"how_many": len(subjects)}).scalar_one()
    at = happened_at or utc_now()
    rows = [
        {"number": number, "kind": kind, "subject": subject, "happened_at": at}
        for number, subject in enumerate(subjects, start=last - len(subjects) + 1)
    ]
    connection.execute(_ADD, rows)
    return last


def changes_after(session: Session, number: int, limit: int) -> Sequence[ChangeRow]:
    """Return at most `limit` changes later than `number`, in order."""
    statement = select(ChangeRow).where(col(ChangeRow.number) > number)
    return session.exec(statement.order_by(col(ChangeRow.number)).limit(limit)).all()

"""The change feed: an ordered, gap-free list of what happened."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Integer, bindparam, insert, literal_column, update
from sqlmodel import Session, col, select

from core.clock import utc_now
from core.driver_statement import DriverStatement
from core.tables.changes import ChangeCounterRow, ChangeKind, ChangeRow
from core.tables.columns import table_of

_COUNTER: Final = table_of(ChangeCounterRow)
_COUNT: Final = DriverStatement(
    lambda _dialect: (
        update(_COUNTER)
        .where(_COUNTER.c.id == literal_column("1"))
        .values(last=_COUNTER.c.last + bindparam("how_many", type_=Integer))
        .returning(_COUNTER.c.last)
    )
)
_ADD: Final = DriverStatement(lambda _dialect: insert(table_of(ChangeRow)))


def append_change(
    session: Session, kind: ChangeKind, subject: str, happened_at: datetime | None = None
) -> int:
    """Record a change in the caller's transaction and return its number."""
    return append_changes(session.connection(), kind, [subject], happened_at)


def append_changes(
    connection: Connection,
    kind: ChangeKind,
    subjects: Sequence[str],
    happened_at: datetime | None = None,
) -> int:
    """Record changes of one kind in the caller's transaction; return the last one's number.

    The counter's row stays locked until the transaction ends, so numbers follow the order of
    commits and a rollback leaves no gap. Call it late in a transaction: the lock is then brief.
    """
    [(last,)] = _COUNT.run(connection, {"how_many": len(subjects)})
    at = happened_at or utc_now()
    rows = [
        {"number": number, "kind": kind, "subject": subject, "happened_at": at}
        for number, subject in enumerate(subjects, start=last - len(subjects) + 1)
    ]
    _ADD.run_each(connection, rows)
    return int(last)


def last_change(session: Session) -> int:
    """Return the number of the last change there is, 0 before the first."""
    [last] = session.exec(select(ChangeCounterRow.last)).all()
    return last


def changes_after(session: Session, number: int, limit: int) -> Sequence[ChangeRow]:
    """Return at most `limit` changes later than `number`, in order."""
    statement = select(ChangeRow).where(col(ChangeRow.number) > number)
    return session.exec(statement.order_by(col(ChangeRow.number)).limit(limit)).all()

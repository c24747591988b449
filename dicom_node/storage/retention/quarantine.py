"""Objects that lay in quarantine long enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.changes import append_changes
from core.database import Database
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.discarded_files import FilePlace
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.retention.files import discard_files, lock_files

#: Rows of one transaction.
_BATCH: Final = 50

_log = get_logger(__name__)


@dataclass(frozen=True)
class Expired:
    """How many objects are too old, and how large they are together."""

    objects: int = 0
    size_bytes: int = 0


def count_expired(session: Session, until: datetime) -> Expired:
    """Return what came into quarantine before a moment."""
    statement = select(func.count(), func.sum(QuarantineRow.size_bytes))
    count, size = session.exec(statement.where(col(QuarantineRow.received_at) < until)).one()
    return Expired(count, int(size or 0))


def remove_expired(
    database: Database, until: datetime, now: datetime, beat: Callable[[], None]
) -> Expired:
    """Remove the rows of what came into quarantine before a moment, and list its files to go."""
    count = size = 0
    while True:
        beat()
        with database.transaction() as session:
            rows = _lock_expired(session, until)
            if not rows:
                break
            _remove(session, rows, now)
        count, size = count + len(rows), size + sum(row.size_bytes for row in rows)
    if count:
        _log.info("quarantine_removed", objects=count, size_bytes=size)
    return Expired(count, size)


def _lock_expired(session: Session, until: datetime) -> Sequence[QuarantineRow]:
    statement = select(QuarantineRow).where(col(QuarantineRow.received_at) < until)
    statement = statement.order_by(col(QuarantineRow.id)).limit(_BATCH)
    return session.exec(statement.with_for_update()).all()


def _remove(session: Session, rows: Sequence[QuarantineRow], now: datetime) -> None:
    keys = {row.storage_key for row in rows}
    lock_files(session.connection(), FilePlace.QUARANTINE, keys)
    for row in rows:
        session.delete(row)
    session.flush()
    # The same object may lie there for another cause too.
    digests = [row.digest for row in rows]
    others = select(QuarantineRow.storage_key).where(col(QuarantineRow.digest).in_(digests))
    discard_files(session, FilePlace.QUARANTINE, keys - set(session.exec(others).all()), now)
    ids = [str(row.id) for row in rows]
    append_changes(session.connection(), ChangeKind.QUARANTINE_REMOVED, ids, now)

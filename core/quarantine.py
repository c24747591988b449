"""What people do with objects that were kept aside: find one, and say that it is dealt with."""

from datetime import datetime

from sqlmodel import Session

from core.errors import NodeError, RecordNotFound
from core.tables.quarantine import QuarantineRow


class BytesNotKept(NodeError):
    """The object was refused before its bytes were kept; there is nothing to download."""


def find_aside(session: Session, quarantine_id: int) -> QuarantineRow:
    """Return an object that was kept aside.

    Raises
    ------
    RecordNotFound
        If there is none of that id, any more.
    """
    row = session.get(QuarantineRow, quarantine_id)
    if row is None:
        raise RecordNotFound("Nothing lies in quarantine under that id")
    return row


def kept_key(row: QuarantineRow) -> str:
    """Return where the bytes of an object lie in quarantine.

    Raises
    ------
    BytesNotKept
        If none were kept.
    """
    if not row.size_bytes:
        raise BytesNotKept
    return row.storage_key


def dismiss_aside(
    session: Session, quarantine_id: int, dismissed_by: str, at: datetime
) -> QuarantineRow:
    """Record that an object needs no more attention; whoever said so first stands.

    Raises
    ------
    RecordNotFound
        If there is none of that id, any more.
    """
    row = find_aside(session, quarantine_id)
    if row.dismissed_at is None:
        row.dismissed_at, row.dismissed_by = at, dismissed_by
    return row

"""Peers that keep their rhythm no more: told once when they fall silent, once when back."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from core.changes import append_change
from core.logs import get_logger
from core.rhythm import silent_since
from core.tables.changes import ChangeKind
from core.tables.peers import PeerRow
from core.tables.sightings import PeerSightingRow

_log = get_logger(__name__)


def find_changed(session: Session, now: datetime) -> list[tuple[PeerRow, datetime | None]]:
    """Return the peers that fell silent or came back since it was told, with since when."""
    statement = (
        select(PeerRow, PeerSightingRow.last_object_at)
        .join(
            PeerSightingRow,
            col(PeerSightingRow.ae_title) == col(PeerRow.ae_title),
            isouter=True,
        )
        .where(
            or_(
                col(PeerRow.expect_every_seconds).is_not(None),
                col(PeerRow.silent_since).is_not(None),
            )
        )
        .order_by(col(PeerRow.ae_title))
    )
    found = [
        (peer, silent_since(peer, last_object_at, now))
        for peer, last_object_at in session.exec(statement).all()
    ]
    return [(peer, since) for peer, since in found if bool(since) != bool(peer.silent_since)]


def tell_changed(session: Session, now: datetime) -> None:
    """Record who fell silent and who is back, in the caller's transaction."""
    for peer, since in find_changed(session, now):
        # Another process may have told it meanwhile.
        locked = session.get_one(
            PeerRow, peer.ae_title, with_for_update=True, populate_existing=True
        )
        if bool(since) == bool(locked.silent_since):
            continue
        locked.silent_since = since
        kind = ChangeKind.DEVICE_SILENT if since else ChangeKind.DEVICE_BACK
        append_change(session, kind, peer.ae_title, now)
        _log.warning(kind.value, peer=peer.ae_title, expect_every_seconds=peer.expect_every_seconds)

"""The peers we know with what was seen of them, and the devices, for whoever shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.rhythm import silent_since
from core.tables.peers import PeerRow
from core.tables.sightings import DeviceRow, PeerSightingRow


@dataclass(frozen=True)
class KnownPeer:
    """A peer of the allow-list.

    Attributes
    ----------
    sighting
        None where it never had an association.
    silent_since
        When its time was up; None where it keeps its rhythm or none is expected.
    """

    row: PeerRow
    sighting: PeerSightingRow | None
    silent_since: datetime | None


def with_sightings(session: Session, peers: Sequence[PeerRow], now: datetime) -> list[KnownPeer]:
    """Return these peers with what was seen of them."""
    wanted = col(PeerSightingRow.ae_title).in_([peer.ae_title for peer in peers])
    seen = {row.ae_title: row for row in session.exec(select(PeerSightingRow).where(wanted)).all()}
    return [_known(peer, seen.get(peer.ae_title), now) for peer in peers]


def silent_peers(session: Session, now: datetime) -> list[KnownPeer]:
    """Return the peers that are overdue, by AE title."""
    expected = select(PeerRow).where(col(PeerRow.expect_every_seconds).is_not(None))
    peers = session.exec(expected.order_by(col(PeerRow.ae_title))).all()
    return [peer for peer in with_sightings(session, peers, now) if peer.silent_since is not None]


def list_devices(session: Session) -> Sequence[DeviceRow]:
    """Return every device, the one seen last first."""
    latest = (col(DeviceRow.last_seen_at).desc(), col(DeviceRow.id).desc())
    return session.exec(select(DeviceRow).order_by(*latest)).all()


def _known(peer: PeerRow, sighting: PeerSightingRow | None, now: datetime) -> KnownPeer:
    last_object_at = sighting.last_object_at if sighting else None
    return KnownPeer(peer, sighting, silent_since(peer, last_object_at, now))

"""The peers as a page shows them: what was seen of each, and whether it answers."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.peer_echoes import echoes_of
from core.peer_sightings import KnownPeer, with_sightings
from core.tables.peers import PeerEchoRow, PeerRow


@dataclass(frozen=True)
class PeerView:
    """A peer, and the last time somebody asked whether it answers; None where nobody did."""

    known: KnownPeer
    echo: PeerEchoRow | None

    @property
    def is_being_asked(self) -> bool:
        """Whether the answer is yet to come."""
        return self.echo is not None and self.echo.finished_at is None


def read_peers(session: Session, now: datetime) -> list[PeerView]:
    """Return every peer by AE title."""
    rows = session.exec(select(PeerRow).order_by(col(PeerRow.ae_title))).all()
    echoes = echoes_of(session, [row.ae_title for row in rows])
    known = with_sightings(session, rows, now)
    return [PeerView(peer, echoes.get(peer.row.ae_title)) for peer in known]

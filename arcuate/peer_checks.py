"""Checks of the peers that we call ourselves."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from arcuate.finding import Finding, Health
from arcuate.node import database_exists, open_node
from core.calling_tls import CallingTLS
from core.errors import NodeError
from core.settings import Settings
from dicom_node.peers import PeerAddress, address_of, list_peers
from dicom_node.scu.echo import echo

#: Peers asked at a time: one that is away costs its time-out.
_AT_ONCE: Final = 16


def check_echo(settings: Settings) -> Finding:
    """Ask each peer with a port whether it answers (C-ECHO), over TLS where it is marked so."""
    if not database_exists(settings):
        return Finding("echo", Health.NOTE, "no database yet", "`arcuate up` makes it.")
    addresses = _addresses(settings)
    if not addresses:
        return Finding("echo", Health.GOOD, "no peer has a port to call")
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        faults = list(threads.map(partial(_ask, settings=settings), addresses))
    told = [fault for fault in faults if fault]
    if not told:
        return Finding("echo", Health.GOOD, f"{len(addresses)} answer")
    found = f"{len(told)} of {len(addresses)} do not answer: {'; '.join(told)}"
    return Finding("echo", Health.NOTE, found, "`arcuate peers echo AET` asks one again.")


def _addresses(settings: Settings) -> list[PeerAddress]:
    node = open_node(settings)
    try:
        with node.database.reading() as session:
            called = [
                peer.ae_title
                for peer in list_peers(session)
                if peer.port and peer.host != "*" and "/" not in peer.host
            ]
            return [address_of(session, ae_title) for ae_title in called]
    finally:
        node.database.close()


def _ask(peer: PeerAddress, settings: Settings) -> str:
    """Return why a peer does not answer, empty where it does."""
    try:
        echo(peer, settings.ae_title, CallingTLS(settings))
    except NodeError as error:
        return f"{peer.ae_title}: {error}"
    return ""

"""A node that lives for one call: free ports, a folder of its own, one calling AE title."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from arcuate.node import Node, prepare_node
from arcuate.roles import Role
from arcuate.supervisor import Supervisor
from core.scoring_settings import AUTOMATIC
from core.settings import Settings
from dicom_node.peers import PeerAddress, add_peer


@dataclass(frozen=True)
class ThrowawayNode:
    """A running node: where to send, and a client of its REST API."""

    node: Node
    peer: PeerAddress
    client: httpx.Client


@contextmanager
def throwaway_node(
    home: Path,
    calling_ae_title: str,
    prepare: Callable[[Node], None] = lambda node: None,
    preparation_processes: int = AUTOMATIC,
) -> Generator[ThrowawayNode]:
    """Run a node that admits one device on this machine until the block ends.

    Parameters
    ----------
    prepare
        Called before its processes start.
    preparation_processes
        As in the settings.

    Raises
    ------
    RoleNotReady
        If one of its processes does not come up.
    """
    settings = Settings(
        home=home,
        dicom_port=0,
        http_port=0,
        auth="none",
        log_level="error",
        preparation_processes=preparation_processes,
    )
    node = prepare_node(settings)
    with node.database.transaction() as session:
        add_peer(session, calling_ae_title, "127.0.0.1", description="this call")
    # What fills the record alone makes no folder for bytes.
    node.storage.prepare()
    prepare(node)
    supervisor = Supervisor(settings)
    ports = supervisor.start()
    peer = PeerAddress(settings.ae_title, "127.0.0.1", ports[Role.RECEIVE])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{ports[Role.SERVE]}", timeout=30) as client:
            yield ThrowawayNode(node, peer, client)
    finally:
        supervisor.stop()
        node.database.close()

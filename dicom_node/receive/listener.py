"""The listening socket: what stands between the network and pynetdicom's associations."""

import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.callers import Caller, Rejection
from dicom_node.pynetdicom_settings import MAXIMUM_PDU_BYTES
from dicom_node.receive.opening import CLIENT_HELLO, association_request
from dicom_node.receive.shared_port import bind_shared
from dicom_node.receive.usher import Usher
from dicom_node.receive.vestibule import Vestibule
from dicom_node.receive.waiting_room import WaitingRoom


class Listener(ThreadedAssociationServer):
    """pynetdicom's server, which sees a connection only once its request is here.

    Parameters
    ----------
    admit
        Tells why a caller on a connection must stay out, None where it may come in.
    patience_seconds
        From the connection to the request; where TLS comes before, twice.
    node_folder
        Receivers of the node with this folder share the port; nobody else may have it.
    tls
        Encrypts every connection. pynetdicom's own `ssl_context` would shake hands in the thread
        that accepts connections: one silent caller would keep all others out.
    """

    #: Connections the system holds for us until they are taken; others hear nothing, and try again
    #: after seconds. pynetdicom's own is five.
    request_queue_size: Final = 1024  # type: ignore[misc]

    def __init__(
        self,
        *arguments: Any,
        admit: Callable[[Caller, socket.socket], Rejection | None],
        patience_seconds: float,
        node_folder: Path,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        self._node_folder = node_folder
        self._port_lock = -1
        opening = association_request(MAXIMUM_PDU_BYTES)
        self._vestibule = Vestibule(tls, opening, patience_seconds) if tls is not None else None
        first = opening if tls is None else CLIENT_HELLO
        self._usher = Usher(admit, self._open)
        self._room = WaitingRoom(self._let_in, first, patience_seconds)
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            self._room.close()
            self._usher.close()
            raise

    def server_bind(self) -> None:
        """Take a place at the port; called by the constructor."""
        listening = cast("socket.socket", self.socket)
        self._port_lock = bind_shared(listening, self.server_address, self._node_folder)
        self.server_address = listening.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let a new connection wait for its first message."""
        self._room.seat(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Let a connection shake hands, in its own thread, where it is to be encrypted."""
        if self._vestibule is not None:
            request = self._vestibule.pass_through(request, client_address)
        if request is not None:
            self._usher.receive(request, client_address)

    def server_close(self) -> None:
        """Close the port, and whoever waits."""
        self._room.close()
        if self._vestibule is not None:
            self._vestibule.close()
        self._usher.close()
        super().server_close()
        lock, self._port_lock = self._port_lock, -1
        if lock >= 0:
            os.close(lock)

    def _let_in(self, request: socket.socket, client_address: Any) -> None:
        if self._vestibule is None:
            self._usher.receive(request, client_address)
        else:
            super().process_request(request, client_address)

    def _open(self, request: socket.socket, client_address: Any) -> None:
        """Make an association of a connection that may come in."""
        super().process_request_thread(request, client_address)

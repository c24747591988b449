"""The listening socket: what stands between the network and pynetdicom's associations."""

import socket
from typing import Any, Final

from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.pynetdicom_settings import MAXIMUM_PDU_BYTES
from dicom_node.receive.waiting_room import WaitingRoom


class Listener(ThreadedAssociationServer):
    """pynetdicom's server, which sees a connection only once its request is here."""

    #: Connections the system holds for us until they are taken; pynetdicom's own is five.
    request_queue_size: Final = 128  # type: ignore[misc]

    def __init__(self, *arguments: Any, patience_seconds: float, **options: Any) -> None:
        self._room = WaitingRoom(self._let_in, MAXIMUM_PDU_BYTES, patience_seconds)
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            self._room.close()
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let a new connection wait for its request."""
        self._room.seat(request, client_address)

    def server_close(self) -> None:
        """Close the port, and whoever waits."""
        self._room.close()
        super().server_close()

    def _let_in(self, request: socket.socket, client_address: Any) -> None:
        super().process_request(request, client_address)

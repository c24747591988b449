"""The process-wide settings of pynetdicom, and one repair, in one place."""

import socket
from contextlib import suppress

from pynetdicom import _config
from pynetdicom.transport import AssociationSocket


def configure_pynetdicom() -> None:
    """Keep patients out of its logs, send files as they are, and close what is closed.

    By default pynetdicom formats every message for its log, identifiers included: that is patient
    data, and time. And it would decode and encode again each file it sends. Harmless to repeat.
    """
    _config.LOG_HANDLER_LEVEL = "none"
    _config.LOG_REQUEST_IDENTIFIERS = False
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.STORE_SEND_CHUNKED_DATASET = True
    # Its own (3.0.4, the version we pin) skips close() where shutdown() fails, which it does on any
    # connection the peer has left: a descriptor stays open for each refused call and each probe.
    AssociationSocket._shutdown_socket = close_socket  # type: ignore[assignment, method-assign]  # noqa: SLF001


def close_socket(transport: AssociationSocket) -> None:
    """Shut a connection down and close it, whatever state it is in."""
    connection = transport.socket
    if connection is None:
        return
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()

"""Where TLS connections shake hands and wait for their association request, each in its thread.

Nobody can look into TLS from outside; so this comes between the waiting room, which sees that a
handshake begins, and an association, of which there are only so many.
"""

import socket
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

from core.logs import get_logger
from dicom_node.receive.opening import Opening
from dicom_node.receive.tls_connection import TLSConnection

#: Between one connection's first byte of a handshake and the last of its association request.
SEATS: Final = 64

_log = get_logger(__name__)


class Vestibule:
    """Lets connections through that hold a proper TLS conversation.

    Parameters
    ----------
    opening
        What must come once both sides have their keys.
    patience_seconds
        For handshake and opening together.
    seats
        When all are taken, whoever waited longest goes.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        opening: Opening,
        patience_seconds: float,
        seats: int = SEATS,
    ) -> None:
        self._context = context
        context.sslsocket_class = TLSConnection
        self._opening = opening
        self._patience_seconds = patience_seconds
        self._seats = seats
        self._lock = threading.Lock()
        # In the order in which they came.
        self._inside: dict[TLSConnection, None] = {}
        self._is_closed = False

    def pass_through(self, connection: socket.socket, address: Any) -> TLSConnection | None:
        """Return the connection once its request can be read; None where it was closed."""
        try:
            tls = self._wrap(connection)
        except OSError:
            # The caller has left already.
            connection.close()
            return None
        try:
            with self._seated(tls):
                self._converse(tls)
        except OSError as error:
            _log.warning("tls_refused", address=str(address[0]), cause=_explain(error))
            tls.close()
            return None
        tls.setblocking(True)
        return tls

    def close(self) -> None:
        """Send everybody away, and whoever comes later."""
        with self._lock:
            self._is_closed = True
            for tls in self._inside:
                _cut(tls)

    def _wrap(self, connection: socket.socket) -> TLSConnection:
        tls = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return cast("TLSConnection", tls)

    def _converse(self, tls: TLSConnection) -> None:
        deadline = time.monotonic() + self._patience_seconds
        tls.shake_hands(deadline)
        header_bytes = self._opening.header_bytes
        header = tls.read_ahead(header_bytes, deadline)
        length_bytes = self._opening.measure(header) if len(header) == header_bytes else 0
        if not length_bytes or len(tls.read_ahead(length_bytes, deadline)) < length_bytes:
            raise ConnectionError(f"no {self._opening.name}")

    @contextmanager
    def _seated(self, tls: TLSConnection) -> Generator[None]:
        with self._lock:
            if self._is_closed:
                raise ConnectionError("the port is closing")
            if len(self._inside) >= self._seats:
                longest = next(iter(self._inside))
                del self._inside[longest]
                _cut(longest)
            self._inside[tls] = None
        try:
            yield
        finally:
            with self._lock:
                self._inside.pop(tls, None)


def _cut(tls: TLSConnection) -> None:
    with suppress(OSError):
        tls.cut()


def _explain(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return reason.lower() if reason else str(error)

"""Asks who calls before an association is made of a connection.

An association costs two threads, a place among the associations and milliseconds, also where all it
hears is No. A crowd of strangers could so keep the devices out that may come in.
"""

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Semaphore
from typing import Any, Final

from core.errors import NodeError
from core.logs import get_logger
from dicom_node.callers import REQUEST_HEAD_BYTES, Caller, Rejection, read_caller
from dicom_node.receive.tls_connection import TLSConnection

#: Connections judged at a time.
_AT_ONCE: Final = 8
#: Connections that wait to be judged.
SEATS: Final = 512
#: What is read of a request nobody wants, so that its sender hears the answer.
_DRAIN_BYTES: Final = 1 << 16
_MOST_DRAINS: Final = 16

_log = get_logger(__name__)


class Usher:
    """Lets through who may come in, and rejects the others itself.

    Parameters
    ----------
    admit
        Tells why a caller on a connection must stay out, None where it may come in. Whatever goes
        wrong in it, the answer is No.
    let_in
        Called with a connection and its address.
    seats
        Connections that may wait; more are put off at once.
    """

    def __init__(
        self,
        admit: Callable[[Caller, socket.socket], Rejection | None],
        let_in: Callable[[socket.socket, Any], None],
        seats: int = SEATS,
    ) -> None:
        self._admit = admit
        self._let_in = let_in
        self._seats = Semaphore(seats)
        self._ushers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="usher")

    def receive(self, connection: socket.socket, address: Any) -> None:
        """Take a connection whose association request is here; returns at once."""
        if not self._seats.acquire(blocking=False):
            turn_away(connection, Rejection.TEMPORARY_CONGESTION)
            return
        attended = self._ushers.submit(self._attend, connection, address)
        attended.add_done_callback(partial(self._conclude, connection))

    def close(self) -> None:
        """Send away whoever still waits, and end."""
        self._ushers.shutdown(cancel_futures=True)

    def _attend(self, connection: socket.socket, address: Any) -> None:
        rejection: Rejection | None = Rejection.TEMPORARY_CONGESTION
        try:
            rejection = self._admit(_caller_on(connection, str(address[0])), connection)
        finally:
            if rejection is not None:
                turn_away(connection, rejection)
        if rejection is None:
            self._let_in(connection, address)

    def _conclude(self, connection: socket.socket, attended: "Future[None]") -> None:
        self._seats.release()
        error = None if attended.cancelled() else attended.exception()
        if error is not None:
            # Only our own messages are known to hold no patient data.
            cause = str(error) if isinstance(error, NodeError) else type(error).__name__
            _log.error("caller_not_judged", error=cause)
        if attended.cancelled() or error is not None:
            connection.close()


def turn_away(connection: socket.socket, rejection: Rejection) -> None:
    """Reject the association somebody asks for on a connection, and close it."""
    with suppress(OSError):
        connection.setblocking(False)
        connection.sendall(rejection.pdu)
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        # Closed over unread bytes, the system would take the answer back. But who sends on and on
        # must not be listened to on and on: others wait for this thread.
        for _ in range(_MOST_DRAINS):
            if not connection.recv(_DRAIN_BYTES):
                break
    connection.close()


def _caller_on(connection: socket.socket, address: str) -> Caller:
    if not isinstance(connection, TLSConnection):
        return read_caller(connection.recv(REQUEST_HEAD_BYTES, socket.MSG_PEEK), address)
    head = connection.read_ahead(REQUEST_HEAD_BYTES, time.monotonic() + 1)
    connection.setblocking(True)
    return read_caller(head, address, connection.certificate_sha256)

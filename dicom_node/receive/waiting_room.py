"""Where connections wait until their first message is whole: one thread for all of them.

pynetdicom gives every connection two threads and a place among the associations as soon as it
stands. A port scan, a load balancer's probes or a device that forgets its connections could so keep
all others out.
"""

import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final

from core.logs import get_logger
from dicom_node.receive.opening import Opening

#: A longer message is let in when this much of it is here.
_ENOUGH_BYTES: Final = 1 << 16
_CHECK_SECONDS: Final = 0.5

_log = get_logger(__name__)


@dataclass(eq=False)
class _Guest:
    """A connection, since when it waits, and how many bytes it must have before it is looked at."""

    connection: socket.socket
    address: Any
    since: float = field(default_factory=time.monotonic)
    wanted_bytes: int = 0


class WaitingRoom:
    """Looks at what has come on each connection without taking it.

    Parameters
    ----------
    let_in
        Called with a connection and its address once its first message is here.
    opening
        What that message must be; whoever begins with another is shown out.
    patience_seconds
        Who has not sent it by then is shown out.
    seats
        When all are taken, whoever waited longest goes: a real request comes within milliseconds.
    """

    def __init__(
        self,
        let_in: Callable[[socket.socket, Any], None],
        opening: Opening,
        patience_seconds: float,
        seats: int = 256,
    ) -> None:
        self._let_in = let_in
        self._opening = opening
        self._patience_seconds = patience_seconds
        self._seats = seats
        self._guests: dict[int, _Guest] = {}
        self._arrived: SimpleQueue[_Guest] = SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell, self._door = socket.socketpair()
        self._bell.setblocking(False)
        self._door.setblocking(False)
        self._selector.register(self._door, selectors.EVENT_READ)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="waiting-room", daemon=True)
        self._thread.start()

    def seat(self, connection: socket.socket, address: Any) -> None:
        """Let a connection wait."""
        self._arrived.put(_Guest(connection, address))
        self._ring()

    def close(self) -> None:
        """Show everybody out; closing again does nothing."""
        if self._is_closed.is_set():
            return
        self._is_closed.set()
        self._ring()
        self._thread.join()
        for guest in list(self._guests.values()):
            self._show_out(guest)
        self._selector.close()
        self._bell.close()
        self._door.close()

    def _ring(self) -> None:
        # A bell that is full rings already.
        with suppress(BlockingIOError):
            self._bell.send(b"\0")

    def _watch(self) -> None:
        try:
            while not self._is_closed.is_set():
                for key, _ in self._selector.select(_CHECK_SECONDS):
                    if key.fileobj is self._door:
                        self._welcome()
                    elif (guest := self._guests.get(key.fd)) is not None:
                        self._attend(guest)
                self._clear()
        finally:
            if not self._is_closed.is_set():
                # Without this thread nobody is let in any more: better to end, and be started anew.
                _log.critical("waiting_room_failed")
                os.kill(os.getpid(), signal.SIGTERM)

    def _welcome(self) -> None:
        self._door.recv(4096)
        while not self._arrived.empty():
            guest = self._arrived.get()
            guest.connection.setblocking(False)
            self._guests[guest.connection.fileno()] = guest
            self._selector.register(guest.connection, selectors.EVENT_READ)
            self._wait_for(guest, self._opening.header_bytes)

    def _attend(self, guest: _Guest) -> None:
        try:
            self._look_at(guest)
        except (OSError, RuntimeError) as error:
            # As when the system has no thread left: this one is shown out, the others go on.
            _log.error("connection_not_served", cause=type(error).__name__)
            self._show_out(guest)

    def _wait_for(self, guest: _Guest, wanted_bytes: int) -> None:
        # The kernel wakes us only when that much is here, or the peer has left.
        guest.wanted_bytes = wanted_bytes
        guest.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted_bytes)

    def _look_at(self, guest: _Guest) -> None:
        try:
            seen = guest.connection.recv(guest.wanted_bytes, socket.MSG_PEEK)
        except BlockingIOError:
            return
        if len(seen) < guest.wanted_bytes:
            self._show_out(guest)
        elif guest.wanted_bytes > self._opening.header_bytes:
            self._pass_on(guest)
        else:
            self._look_at_header(guest, seen)

    def _look_at_header(self, guest: _Guest, header: bytes) -> None:
        length_bytes = self._opening.measure(header)
        if not length_bytes:
            address = str(guest.address[0])
            _log.warning("unexpected_opening", expected=self._opening.name, address=address)
            self._show_out(guest)
            return
        self._wait_for(guest, min(length_bytes, _ENOUGH_BYTES))

    def _pass_on(self, guest: _Guest) -> None:
        self._forget(guest)
        guest.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        guest.connection.setblocking(True)
        self._let_in(guest.connection, guest.address)

    def _clear(self) -> None:
        # In the order in which they came.
        latest = time.monotonic() - self._patience_seconds
        for guest in list(self._guests.values()):
            if guest.since > latest and len(self._guests) <= self._seats:
                return
            # Its header, then the whole of it, may have come while others were attended to.
            self._attend(guest)
            if self._is_here(guest):
                self._attend(guest)
            if self._is_here(guest):
                self._show_out(guest)

    def _is_here(self, guest: _Guest) -> bool:
        return self._guests.get(guest.connection.fileno()) is guest

    def _show_out(self, guest: _Guest) -> None:
        self._forget(guest)
        with suppress(OSError):
            # Closed over unread bytes, the system would tell the peer of a fault.
            guest.connection.recv(_ENOUGH_BYTES)
        guest.connection.close()

    def _forget(self, guest: _Guest) -> None:
        self._guests.pop(guest.connection.fileno(), None)
        with suppress(KeyError, ValueError):
            self._selector.unregister(guest.connection)

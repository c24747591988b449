"""Sends messages of any length on an association, in bounded memory and by one thread alone.

pynetdicom queues every fragment of a message before the first has gone out, and sends one a turn of
its reading thread. Here that thread takes the bytes from us instead, in the same turns: it is the
only one to touch the socket, which TLS demands. Written for pynetdicom 3.0.4, the version that is
pinned; a test fails when these names change.
"""

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from pynetdicom.association import Association

from core.errors import NodeError
from dicom_node.calling_errors import PeerUnreachable

#: Pieces sent in one turn of the thread: between turns it looks for what the peer says.
_PIECES_A_TURN: Final = 4
#: How often it is asked whether the thread still runs.
_LOOK_SECONDS: Final = 0.5
_PAUSE_SECONDS: Final = 0.001


class Outlet:
    """One association while messages go out on it; a block that ends leaves it as it was."""

    def __init__(self, association: Association) -> None:
        self._association = association
        self._provider: Any = association.dul
        self._look_before = self._provider._is_transport_event
        self._pieces: Iterator[bytes] | None = None
        self._error: OSError | NodeError | None = None
        self._done = threading.Event()

    def __enter__(self) -> Self:
        # Until the end of the block answers are ours to take, not the association's own thread's.
        self._association._reactor_checkpoint.clear()
        while not self._association._is_paused and self._association.is_established:
            time.sleep(_PAUSE_SECONDS)
        self._provider._is_transport_event = self._look
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._provider._is_transport_event = self._look_before
        self._association._reactor_checkpoint.set()

    def send(self, pieces: Iterator[bytes]) -> None:
        """Send one message; return when all of it is with the operating system.

        Parameters
        ----------
        pieces
            Whole P-DATA-TF PDUs, taken as they go out.

        Raises
        ------
        PeerUnreachable
            If the association ended.
        NodeError
            What `pieces` raised; the peer waits for the rest then, so the association must end.
        """
        self._error = None
        self._done.clear()
        self._pieces = pieces
        while not self._done.wait(_LOOK_SECONDS):
            if not (self._provider.is_alive() and self._association.is_established):
                self._pieces = None
                raise PeerUnreachable("The peer ended the association")
        if isinstance(self._error, OSError):
            raise PeerUnreachable("The peer left, or takes nothing more") from self._error
        if self._error is not None:
            raise self._error

    def keep_alive(self) -> None:
        """Let the peer's silence count from now: it was waiting for us."""
        self._provider._idle_timer.restart()

    def _look(self) -> bool:
        """Send a little, then see whether something came; called in each turn of the thread."""
        pieces = self._pieces
        if pieces is None:
            return bool(self._look_before())
        try:
            self._send_some(pieces)
        except (OSError, NodeError) as error:
            # Raised where it is waited for.
            self._finish(error)
        self._look_before()
        return True

    def _send_some(self, pieces: Iterator[bytes]) -> None:
        transport = self._provider.socket
        if transport is None or transport.socket is None:
            raise BrokenPipeError
        for _ in range(_PIECES_A_TURN):
            piece = next(pieces, None)
            if piece is None:
                self._finish(None)
                return
            transport.socket.sendall(piece)

    def _finish(self, error: OSError | NodeError | None) -> None:
        self._pieces, self._error = None, error
        self._done.set()

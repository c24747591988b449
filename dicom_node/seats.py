"""How many associations there may be, in all and of one peer, and whose they are."""

import socket
from threading import Lock
from typing import Final
from weakref import WeakKeyDictionary

from dicom_node.callers import Caller, Refusal

#: A closed socket's.
_NO_DESCRIPTOR: Final = -1


class Seats:
    """The places among the associations; whose connection is closed has given its place back.

    Parameters
    ----------
    in_all
        Associations at a time.
    of_one_peer
        Of them from one AE title at one address: who forgets to release keeps out only itself.
    """

    def __init__(self, in_all: int, of_one_peer: int) -> None:
        self._in_all = in_all
        self._of_one_peer = of_one_peer
        self._lock = Lock()
        self._taken: WeakKeyDictionary[socket.socket, tuple[str, str]] = WeakKeyDictionary()

    def take(self, connection: socket.socket, caller: Caller) -> Refusal | None:
        """Give a caller's connection a place, or tell why there is none."""
        peer = (caller.ae_title, caller.address)
        with self._lock:
            self._clear()
            if list(self._taken.values()).count(peer) >= self._of_one_peer:
                return Refusal.TOO_MANY_ASSOCIATIONS_OF_PEER
            if len(self._taken) >= self._in_all:
                return Refusal.TOO_MANY_ASSOCIATIONS
            self._taken[connection] = peer
        return None

    def holds(self, connection: socket.socket | None) -> bool:
        """Whether a connection was given a place."""
        with self._lock:
            return connection is not None and connection in self._taken

    def _clear(self) -> None:
        for connection in list(self._taken):
            if connection.fileno() == _NO_DESCRIPTOR:
                del self._taken[connection]

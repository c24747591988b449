"""Taking turns among the threads and processes of one machine."""

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_NONE: Final = -1


class Turn:
    """A lock that processes share by a file, first come first served; a context manager.

    It only makes waiting short and fair where another lock decides: where the file cannot be had,
    that one is left to say what is wrong.

    Parameters
    ----------
    path
        Of the file, which is made at the first turn.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._among_threads = threading.Lock()
        self._descriptor = _NONE

    def __enter__(self) -> None:
        self._among_threads.acquire()
        with suppress(OSError):
            self._descriptor = os.open(self._path, _FLAGS, 0o640)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_error: object) -> None:
        descriptor, self._descriptor = self._descriptor, _NONE
        if descriptor != _NONE:
            # Gives the turn to whoever waited longest.
            os.close(descriptor)
        self._among_threads.release()

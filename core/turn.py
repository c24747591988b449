"""Taking turns among the processes of one machine."""

import fcntl
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: How long one who waits sleeps between two looks: a turn lasts a few milliseconds.
_LOOK_SECONDS: Final = 0.0003


class Turn:
    """A lock that processes share by a file.

    It only makes waiting short where another lock decides: who does not get it in time goes on
    without.

    Parameters
    ----------
    path
        Of the file, which is made; its folder must exist.
    patience_seconds
        The longest wait.
    """

    def __init__(self, path: Path, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._among_threads = threading.Lock()
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)

    @contextmanager
    def taken(self) -> Generator[None]:
        """Have the turn in the block."""
        with self._among_threads:
            is_ours = self._take()
            try:
                yield
            finally:
                if is_ours:
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _take(self) -> bool:
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
                time.sleep(_LOOK_SECONDS)
            else:
                return True

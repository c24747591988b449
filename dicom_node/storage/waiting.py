"""What lies in the folder before a bucket and goes there: the folder is the list of it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

#: A file of an instance or a report, named by its digest. What else is kept, as the pictures for
#: the pages, stays in the folder.
_MOVED: Final = re.compile(r"(?:[0-9a-f]+/)+([0-9a-f]{64})\.dcm")
_FOLDER: Final = re.compile(r"[0-9a-f]+")
#: The folder is looked through again after so many times as long as that took.
_LOOKS_APART: Final = 20.0
_SHORTEST_SECONDS: Final = 1.0


class Waiting(NamedTuple):
    """What waits for the bucket.

    Attributes
    ----------
    since
        When the oldest of it came, seconds since 1970; None where nothing waits.
    """

    files: int
    size_bytes: int
    since: float | None


NOTHING: Final = Waiting(0, 0, None)


def moved_digest(key: str) -> str | None:
    """Return the digest of an object that goes to the bucket; None of one that stays here."""
    found = _MOVED.fullmatch(key)
    return found[1] if found else None


def waiting_keys(root: Path) -> Iterator[str]:
    """Yield the storage keys of what waits; what moves meanwhile may or may not be among them."""
    for key, _ in _walk(root):
        yield key


def count_waiting(root: Path) -> Waiting:
    """Count what waits for the bucket."""
    files, size_bytes, since = NOTHING
    for _, entry in _walk(root):
        try:
            found = entry.stat()
        except FileNotFoundError:
            continue
        except OSError:
            # One file that cannot be looked at: devices are not refused for it.
            files += 1
            continue
        files, size_bytes = files + 1, size_bytes + found.st_size
        since = found.st_mtime if since is None else min(since, found.st_mtime)
    return Waiting(files, size_bytes, since)


def _walk(folder: Path | str, above: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            key = f"{above}{entry.name}"
            if _FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, f"{key}/")
            elif moved_digest(key):
                yield key, entry


class Level:
    """How many bytes wait, asked for at each store: counted now and then, and never too low."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._size_bytes = 0
        self._next = 0.0

    def size_bytes(self) -> int:
        """Return what waits; what went to the bucket since it was counted is still in it."""
        start = monotonic()
        if start >= self._next:
            self._size_bytes = count_waiting(self._root).size_bytes
            took = monotonic() - start
            self._next = start + max(_SHORTEST_SECONDS, _LOOKS_APART * took)
        return self._size_bytes

    def add(self, size_bytes: int) -> None:
        """Add an object of this process."""
        self._size_bytes += size_bytes

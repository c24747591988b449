"""What lies in a watched folder, and since when each file has not changed."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from core.logs import get_logger

#: Folders of ours in the watched folder.
TAKEN: Final = "taken"
REFUSED: Final = "refused"
CLAIMED: Final = ".taking"
#: How programs call a file that they are still writing, and what systems leave in every folder.
_UNFINISHED_SUFFIXES: Final = frozenset({".tmp", ".part", ".partial", ".filepart", ".crdownload"})
_OF_THE_SYSTEM: Final = frozenset({"thumbs.db", "desktop.ini"})

_log = get_logger(__name__)


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is still the same and was not written to."""

    inode: int
    size_bytes: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Read it."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass
class Sighting:
    """A file, as it was seen last.

    Attributes
    ----------
    since
        Since when it has not changed, in seconds of a monotonic clock.
    is_judged
        Whether it was looked at already and found not to be whole.
    not_before
        When it is looked at again, after it could not be read or moved; it may be never.
    """

    path: Path
    stamp: Stamp
    since: float
    is_judged: bool = False
    not_before: float = 0.0


class Sightings:
    """Remembers the files of a folder from one look to the next.

    Parameters
    ----------
    settle_seconds
        How long a file must not have changed before it is looked at.
    patience_seconds
        How long one that is not whole must not have changed before it is given up.
    """

    def __init__(
        self,
        folder: Path,
        settle_seconds: float,
        patience_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._settle_seconds = settle_seconds
        self._patience_seconds = max(patience_seconds, settle_seconds)
        self._clock = clock
        self._known: dict[Path, Sighting] = {}
        self._unreadable: set[int] = set()

    def look(self) -> list[Sighting]:
        """Look once; return the files that have not changed for long enough.

        Raises
        ------
        OSError
            If the folder is not there.
        """
        now = self._clock()
        seen = dict(self._see(now))
        # What has gone is forgotten.
        self._known = seen
        return [one for one in seen.values() if self._is_due(one, now)]

    def is_given_up(self, sighting: Sighting) -> bool:
        """Whether a file that is not whole has had its time."""
        return self._clock() - sighting.since >= self._patience_seconds

    def _see(self, now: float) -> Iterator[tuple[Path, Sighting]]:
        for entry in self._files(self._folder, is_root=True):
            try:
                stamp = Stamp.of(entry.stat(follow_symlinks=False))
            except OSError:
                # Gone, or renamed, since the folder was listed.
                continue
            path = Path(entry.path)
            known = self._known.get(path)
            same = known is not None and known.stamp == stamp
            yield path, known if known and same else Sighting(path, stamp, now)

    def _is_due(self, sighting: Sighting, now: float) -> bool:
        quiet = now - sighting.since
        needed = self._patience_seconds if sighting.is_judged else self._settle_seconds
        return quiet >= needed and now >= sighting.not_before

    def _files(self, folder: Path, is_root: bool = False) -> "Iterator[os.DirEntry[str]]":
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                if _is_looked_into(entry.name, is_root):
                    yield from self._below(entry)
            elif entry.is_file(follow_symlinks=False) and not _is_left_alone(entry.name):
                yield entry

    def _below(self, entry: "os.DirEntry[str]") -> "Iterator[os.DirEntry[str]]":
        try:
            yield from self._files(Path(entry.path))
        except OSError as error:
            # Told once, by a number that names nobody: `find -inum` shows which it is.
            if entry.inode() not in self._unreadable:
                self._unreadable.add(entry.inode())
                _log.warning("watch_unreadable", inode=entry.inode(), cause=error.strerror)


def _is_looked_into(name: str, is_root: bool) -> bool:
    if is_root and name == CLAIMED:
        # What was claimed by one who died, or could not be kept yet.
        return True
    return not (name.startswith(".") or (is_root and name in {TAKEN, REFUSED}))


def _is_left_alone(name: str) -> bool:
    lower = name.lower()
    unfinished = any(lower.endswith(suffix) for suffix in _UNFINISHED_SUFFIXES)
    return name.startswith((".", "~")) or unfinished or lower in _OF_THE_SYSTEM

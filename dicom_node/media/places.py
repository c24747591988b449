"""Where the files of a watched folder go: names of our own, because theirs may name patients."""

import re
import uuid
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from core.clock import Clock
from dicom_node.media.sightings import CLAIMED, REFUSED, TAKEN

_OURS: Final = re.compile(r"[0-9a-f]{64}\.dcm")
_DAY_FORMAT: Final = "%Y-%m-%d"


class Places:
    """The folders `taken`, `refused` and `.taking` of a watched folder.

    Moving is renaming within one file system: a file is in one of them, whole, at any moment.
    """

    def __init__(self, folder: Path, keep_days: int, clock: Clock) -> None:
        self._folder = folder
        self._keep_days = keep_days
        self._clock = clock

    def claim(self, path: Path) -> Path:
        """Move a file to where its device will not write over it; return where it is now.

        Raises
        ------
        FileNotFoundError
            If it has gone: another program took it.
        OSError
            If it cannot be moved.
        """
        if path.parent == self._folder / CLAIMED:
            return path
        target = self._folder / CLAIMED / uuid.uuid4().hex
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
        return target

    def put_to_taken(self, path: Path, digest: str) -> None:
        """Move a file that is kept; the same one again takes the place of the first."""
        if not self._keep_days:
            path.unlink()
            return
        self._move(path, TAKEN, f"{digest}.dcm")

    def put_to_refused(self, path: Path, digest: str, cause: str) -> None:
        """Move a file that is refused, and write its cause beside it."""
        explained = self._day(REFUSED) / f"{digest}.txt"
        explained.write_text(f"{self._clock():%Y-%m-%dT%H:%M:%SZ} {cause}\n", "utf-8")
        self._move(path, REFUSED, f"{digest}.dcm")

    def clean(self) -> None:
        """Remove what was taken more than `keep_days` ago: only files of the names we give."""
        last = self._clock().date() - timedelta(days=self._keep_days)
        folders = (self._folder / TAKEN).glob("*-*-*")
        for day in [folder for folder in folders if _is_before(folder.name, last)]:
            for path in [one for one in day.iterdir() if _OURS.fullmatch(one.name)]:
                path.unlink(missing_ok=True)
            if not any(day.iterdir()):
                day.rmdir()

    def _move(self, path: Path, kind: str, name: str) -> None:
        path.rename(self._day(kind) / name)

    def _day(self, kind: str) -> Path:
        folder = self._folder / kind / self._clock().strftime(_DAY_FORMAT)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _is_before(name: str, last: date) -> bool:
    try:
        day = datetime.strptime(name, _DAY_FORMAT).date()  # noqa: DTZ007 - a day
    except ValueError:
        return False
    return day < last

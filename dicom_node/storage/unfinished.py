"""A file on its way into the storage: written, synced, and only then given its name."""

import fcntl
import os
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
#: Restricted further by the umask of the service.
_MODE: Final = 0o666
#: What may wait in memory before the disk begins to write it.
_EARLY_BYTES: Final = 8 << 20


class Unfinished:
    """Bytes that are not an object yet. Nothing of them is left unless they are named.

    Its methods raise OSError; `Storage` says what such a fault means.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size_bytes = 0
        self._on_its_way_bytes = 0
        #: Where it lies as an object; empty until then.
        self.named_path = ""
        self._descriptor = os.open(path, _NEW, _MODE)
        # Tells another receiver that is just starting: this file is being written.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def write(self, chunk: "ReadableBuffer") -> None:
        """Append bytes."""
        rest = memoryview(chunk)
        self.size_bytes += len(rest)
        # A write may take less than it was given, at most 2 GiB at a time on Linux.
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        if self.size_bytes - self._on_its_way_bytes >= _EARLY_BYTES:
            self._start_writing_back()

    def _start_writing_back(self) -> None:
        # The disk works on what is here while the rest arrives, so that the last sync is short:
        # asked to drop pages that are not on the disk yet, Linux begins to write them.
        start, self._on_its_way_bytes = self._on_its_way_bytes, self.size_bytes
        if hasattr(os, "posix_fadvise"):
            length = self.size_bytes - start
            os.posix_fadvise(self._descriptor, start, length, os.POSIX_FADV_DONTNEED)

    def mapped(self) -> mmap:
        """Show what was written as memory: only what is looked at is read."""
        return mmap(self._descriptor, 0, access=ACCESS_READ)

    def sync(self) -> None:
        """Return when the bytes survive a power cut; their name does not yet."""
        os.fsync(self._descriptor)

    def name(self, path: str) -> None:
        """Make the object visible under its name, which survives once its folder is synced."""
        if self.named_path:
            # A transaction that is tried again. What it had named may have been removed since: then
            # this raises, and the object must be sent again.
            Path(path).stat()
            return
        # Over whatever stands there: the same bytes, or damaged ones that these mend.
        Path(self.path).rename(path)
        self.named_path = path

    def discard(self) -> None:
        """Close the file, and remove it unless it was named."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)
        if not self.named_path:
            # The first fault is the one to report, whatever removing the remains says.
            with suppress(OSError):
                Path(self.path).unlink()


def remove_if_abandoned(path: Path) -> None:
    """Remove what a killed process left; what another process is writing stays."""
    # Another receiver that starts now may clear it first, or its writer may have finished it.
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        path.unlink(missing_ok=True)

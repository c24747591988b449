"""The bytes we keep: durable when `put` returns, found again by a key of our own making."""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from core.errors import RecordNotFound, SettingsInvalid
from dicom_node.errors import ObjectUnreadable, StorageAway, StorageFull

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
#: Half-written files live in this folder of the root: the same file system, so a rename is atomic.
_UNFINISHED: Final = ".unfinished"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Storage:
    """A folder of immutable objects.

    Parameters
    ----------
    url
        `file://` and an absolute path.
    free_bytes
        Asks how many bytes are free below a path.
    """

    def __init__(self, url: str, free_bytes: Callable[[Path], int] | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
            raise SettingsInvalid("storage_url must be file:// and an absolute path")
        self.root = Path(unquote(parts.path))
        self._free_bytes = free_bytes or _ask_file_system
        self._is_prepared = False

    def prepare(self) -> None:
        """Make the folder, and clear what a killed process left half-written."""
        with _named_faults():
            _make_folder(self.root / _UNFINISHED)
            for leftover in (self.root / _UNFINISHED).iterdir():
                _remove_if_abandoned(leftover)
        self._is_prepared = True

    def put(self, key: str, content: bytes | Iterable[bytes]) -> None:
        """Keep an object; when this returns it survives a power cut. The same again is harmless.

        Raises
        ------
        StorageFull, StorageAway
            If the disk has no room, or fails; nothing is visible then.
        """
        path = self._path(key)
        chunks = [content] if isinstance(content, bytes) else content
        with _named_faults():
            # Not again once it was there: what is written into the mount point of a disk that went
            # away is hidden when the disk comes back, and it would have been answered Success.
            if not self._is_prepared:
                _make_folder(self.root / _UNFINISHED)
            unfinished = self.root / _UNFINISHED / uuid4().hex
            try:
                _write_synced(unfinished, chunks)
                _make_folder(path.parent)
                unfinished.rename(path)
            except BaseException:
                # The first fault is the one to report, whatever removing the remains says.
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)
                raise
            # Another thread may have made a folder on the way and not synced its parent yet.
            for folder in (path.parent, *path.parent.parents):
                _sync_folder(folder)
                if folder == self.root:
                    break

    def read(self, key: str) -> bytes:
        """Return the whole object.

        Raises
        ------
        RecordNotFound
            If nothing is kept under that key.
        ObjectUnreadable
            If this object cannot be read, while the storage is there.
        StorageAway
            If the storage is not there.
        """
        with self.open(key) as file:
            return file.read()

    @contextmanager
    def open(self, key: str) -> Generator[BinaryIO]:
        """Open the object for reading; the errors are those of `read`."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                yield file
        except FileNotFoundError as error:
            self._check_presence()
            raise RecordNotFound(f"No bytes are kept under {key}") from error
        except OSError as error:
            # One damaged file must not hold up every job, as a storage that is away does.
            self._check_presence()
            name = errno.errorcode.get(error.errno or 0, "unknown")
            raise ObjectUnreadable(f"A kept object cannot be read ({name})") from error

    def exists(self, key: str) -> bool:
        """Whether an object is kept under that key."""
        path = self._path(key)
        with _named_faults():
            return path.is_file()

    def _check_presence(self) -> None:
        """Raise StorageAway where the storage itself does not answer."""
        with _named_faults():
            next((self.root / _UNFINISHED).iterdir(), None)

    def delete(self, key: str) -> None:
        """Remove the object for good; nothing happens where there is none."""
        path = self._path(key)
        with _named_faults():
            if path.exists():
                path.unlink()
                _sync_folder(path.parent)

    def free_bytes(self) -> int:
        """Return how many bytes are free.

        Raises
        ------
        StorageAway
            If the file system does not answer.
        """
        with _named_faults():
            return self._free_bytes(self.root)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a storage key: {key!r}")
        return self.root / key


def _ask_file_system(folder: Path) -> int:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


@contextmanager
def _named_faults() -> Generator[None]:
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        if error.errno in _FULL:
            raise StorageFull(f"Out of storage ({name}); free space on the disk") from error
        raise StorageAway(f"The storage does not answer ({name}); check the disk") from error


def _make_folder(folder: Path) -> None:
    """Make a folder whose name survives a power cut, and each missing one above it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o750, exist_ok=True)
        _sync_folder(path.parent)


def _remove_if_abandoned(path: Path) -> None:
    # Another receiver that starts now may clear it first, or its writer may have finished it.
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        path.unlink(missing_ok=True)


def _write_synced(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("xb", buffering=0) as file:
        # Tells another receiver that is just starting: this file is being written.
        fcntl.flock(file, fcntl.LOCK_EX)
        for chunk in chunks:
            _write_all(file, chunk)
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, chunk: bytes) -> None:
    # An unbuffered write may take less than it was given, at most 2 GiB at a time on Linux.
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

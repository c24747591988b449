"""The bytes we keep: durable when `put` returns, found again by a key of our own making."""

import errno
import os
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from core.errors import RecordNotFound, SettingsInvalid
from dicom_node.errors import ObjectUnreadable, StorageAway, StorageFull
from dicom_node.storage.syncing import FOLDER_MODE, Syncing, make_folder, sync_folder
from dicom_node.storage.unfinished import Unfinished, remove_if_abandoned
from dicom_node.storage.waiting import NOTHING, Waiting

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
#: Half-written files live in this folder of the root: the same file system, so a rename is atomic.
UNFINISHED: Final = ".unfinished"
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
        # Paths as text where every object passes: taking them apart costs more than using them.
        self._root = str(self.root)
        self._unfinished = f"{self._root}/{UNFINISHED}"
        self._is_prepared = False
        self._syncing = Syncing(self.root)

    def prepare(self, folders: Sequence[str] = ()) -> None:
        """Make the folder, and clear what a killed process left half-written.

        Parameters
        ----------
        folders
            Folders directly below it that objects will lie in: made now, all at once, each costs
            no object a wait later.
        """
        with named_faults():
            make_folder(self.root / UNFINISHED)
            for leftover in (self.root / UNFINISHED).iterdir():
                remove_if_abandoned(leftover)
            for folder in folders:
                (self.root / folder).mkdir(mode=FOLDER_MODE, exist_ok=True)
            sync_folder(self.root)
        self._syncing.note_settled(f"{self._root}/{folder}" for folder in folders)
        self._is_prepared = True

    def expect(self) -> None:
        """Take it for prepared by another process: where it is not there it is missed, not made."""
        self._is_prepared = True

    def begin(self) -> Unfinished:
        """Open a file that is nothing yet: `keep` makes it an object.

        Writing and syncing it may raise OSError: `named_faults` says what that means.

        Raises
        ------
        StorageFull, StorageAway
            If the disk has no room, or fails.
        """
        with named_faults():
            # Not again once it was there: what is written into the mount point of a disk that went
            # away is hidden when the disk comes back, and it would have been answered Success.
            if not self._is_prepared:
                make_folder(self.root / UNFINISHED)
            return Unfinished(f"{self._unfinished}/{uuid4().hex}")

    def keep(self, objects: Iterable[tuple[Unfinished, str]]) -> None:
        """Name synced files; when this returns they survive a power cut, names included.

        Parameters
        ----------
        objects
            Files and their keys; each folder is synced once for all of them.

        Raises
        ------
        StorageFull, StorageAway
            If the disk fails; some of them may be named then.
        """
        named = [(unfinished, self._text(key)) for unfinished, key in objects]
        folders = list(dict.fromkeys(path.rpartition("/")[0] for _, path in named))
        with named_faults():
            self._syncing.make_missing(folders)
            for unfinished, path in named:
                unfinished.name(path)
            self._syncing.sync_folders(folders)

    def put(self, key: str, content: bytes | Iterable[bytes]) -> None:
        """Keep an object; when this returns it survives a power cut. The same again is harmless.

        Raises
        ------
        StorageFull, StorageAway
            If the disk has no room, or fails; nothing is visible then.
        """
        self.put_all([(key, content)])

    def put_all(self, objects: Sequence[tuple[str, bytes | Iterable[bytes]]]) -> None:
        """Keep objects, by key, as `put` keeps one, in hardly more time than that.

        Raises
        ------
        StorageFull, StorageAway
            If the disk has no room, or fails; some of them may be visible then.
        """
        for key, _ in objects:
            self._path(key)
        with named_faults(), ExitStack() as stack:
            begun = [(stack.enter_context(self.begin()), key) for key, _ in objects]
            for (unfinished, _), (_, content) in zip(begun, objects, strict=True):
                for chunk in [content] if isinstance(content, bytes) else content:
                    unfinished.write(chunk)
            self._syncing.sync_files([unfinished for unfinished, _ in begun])
            self.keep(begun)

    def settle(self, unfinished: Unfinished) -> None:
        """Return when its sender may forget an object whose rows are committed."""

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
            self.check_presence()
            raise RecordNotFound(f"No bytes are kept under {key}") from error
        except OSError as error:
            # One damaged file must not hold up every job, as a storage that is away does.
            self.check_presence()
            name = errno.errorcode.get(error.errno or 0, "unknown")
            raise ObjectUnreadable(f"A kept object cannot be read ({name})") from error

    def size(self, key: str) -> int:
        """Return how many bytes the object has; the errors are those of `read`."""
        with self.open(key) as file:
            return file.seek(0, os.SEEK_END)

    def exists(self, key: str) -> bool:
        """Whether an object is kept under that key."""
        path = self._path(key)
        with named_faults():
            return path.is_file()

    def check_presence(self) -> None:
        """Raise StorageAway where the storage itself does not answer."""
        with named_faults():
            next((self.root / UNFINISHED).iterdir(), None)

    def delete(self, key: str) -> None:
        """Remove the object for good; nothing happens where there is none."""
        path = self._path(key)
        with named_faults():
            if path.exists():
                path.unlink()
                sync_folder(path.parent)

    def admit(self, minimum_free_bytes: int) -> None:
        """Return where another object may come in.

        Raises
        ------
        StorageFull, StorageAway
            If it has no room for it, or could not be kept now.
        """
        if self.free_bytes() < minimum_free_bytes:
            raise StorageFull("Below minimum_free_mib; free space on the disk")

    def reach(self) -> None:
        """Return where everything that objects lie in answers.

        Raises
        ------
        StorageAway
            If it does not.
        """
        self.check_presence()

    def waiting(self) -> Waiting:
        """Return what of the objects is not where it is to stay: of a folder, nothing."""
        return NOTHING

    def describe(self) -> dict[str, str]:
        """Return what another process of this machine opens it by, `open_described`."""
        return {"url": f"file://{self.root}"}

    def free_bytes(self) -> int:
        """Return how many bytes are free.

        Raises
        ------
        StorageAway
            If the file system does not answer.
        """
        with named_faults():
            return self._free_bytes(self.root)

    def _path(self, key: str) -> Path:
        return Path(self._text(key))

    def _text(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a storage key: {key!r}")
        return f"{self._root}/{key}"


def _ask_file_system(folder: Path) -> int:
    try:
        found = os.statvfs(folder)
    except FileNotFoundError:
        # Not made yet: it will be on the disk of what is there.
        found = os.statvfs(next(path for path in folder.parents if path.exists()))
    return found.f_bavail * found.f_frsize


@contextmanager
def named_faults() -> Generator[None]:
    """Turn what the operating system says of the disk into our own errors."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        if error.errno in _FULL:
            raise StorageFull(
                f"Out of storage ({name}); free space or inodes on the disk"
            ) from error
        raise StorageAway(f"The storage does not answer ({name}); check the disk") from error

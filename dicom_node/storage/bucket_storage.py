"""A bucket with a folder before it: what comes in is durable in the folder first, then moves.

The folder is the list of what is to be moved: no object is anywhere else until the bucket gave it
back byte for byte. Reading looks into the folder, then into the bucket. Pictures for the pages and
whatever else is no instance or report stay in the folder.
"""

import errno
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Final

from core.errors import InfrastructureError, RecordNotFound
from dicom_node.errors import ObjectUnreadable, StorageAway, StorageFull
from dicom_node.storage.bucket import Bucket
from dicom_node.storage.bytes import Storage, named_faults
from dicom_node.storage.held_file import FileHeld, held_file
from dicom_node.storage.kept_digest import read_digest
from dicom_node.storage.syncing import sync_folder
from dicom_node.storage.unfinished import Unfinished
from dicom_node.storage.waiting import Level, Waiting, count_waiting, moved_digest, waiting_keys

#: Read at a time of what was moved: a request each.
_CHUNK_BYTES: Final = 8 << 20
#: After a store that the bucket did not take the next ones are refused before they are read.
_REFUSING_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Buffering:
    """Whether a store is answered before its object is in the bucket.

    Attributes
    ----------
    is_on
        Off: its sender waits until the bucket gave it back.
    limit_bytes
        What may wait for the bucket; 0 for no limit but the disk's.
    """

    is_on: bool = False
    limit_bytes: int = 0


class BucketStorage(Storage):
    """Objects in a bucket.

    Parameters
    ----------
    folder
        `file://` and the absolute path of the folder before it; common to every role.
    """

    def __init__(
        self, bucket: Bucket, folder: str, described: dict[str, str], buffering: Buffering
    ) -> None:
        super().__init__(folder)
        self.bucket = bucket
        self._described = described
        self._buffering = buffering
        self._level = Level(self.root)
        self._refusing_until = 0.0

    def keep(self, objects: Iterable[tuple[Unfinished, str]]) -> None:
        """Name synced files in the folder; the errors are those of a folder."""
        named = list(objects)
        super().keep(named)
        for unfinished, _ in named:
            self._level.add(unfinished.size_bytes)

    def admit(self, minimum_free_bytes: int) -> None:
        """Return where another object may come in; the errors are those of a folder."""
        super().admit(minimum_free_bytes)
        limit = self._buffering.limit_bytes
        if not self._buffering.is_on:
            if monotonic() < self._refusing_until:
                raise StorageAway("The bucket did not take the last object; arcuate doctor")
        elif limit and self._waiting_bytes() >= limit:
            raise StorageFull("As much waits for the bucket as storage_buffer_gib allows")

    def _waiting_bytes(self) -> int:
        with named_faults():
            return self._level.size_bytes()

    def settle(self, unfinished: Unfinished) -> None:
        """Return when its sender may forget an object: without buffering, once it has moved.

        Raises
        ------
        StorageAway
            If the bucket did not take it; it waits here, and moves when it does.
        """
        if self._buffering.is_on or not unfinished.named_path:
            return
        path = Path(unfinished.named_path)
        try:
            # Whoever received it holds it: nobody else moves it meanwhile.
            with named_faults(), path.open("rb") as file:
                self._copy(path.relative_to(self.root).as_posix(), file)
        except InfrastructureError:
            self._refusing_until = monotonic() + _REFUSING_SECONDS
            raise
        self._drop(path)

    def move(self, key: str) -> bool:
        """Move an object to the bucket; return whether it did, not another or nobody.

        Raises
        ------
        ObjectUnreadable
            If it is damaged: it stays in the folder.
        StorageAway
            If the bucket does not take it; it stays, too.
        """
        path = self._path(key)
        try:
            with named_faults(), held_file(path) as file:
                if file is None:
                    return False
                self._copy(key, file)
                self._drop(path)
                return True
        except FileHeld:
            return False

    def _copy(self, key: str, file: BinaryIO) -> None:
        """Return when the bucket gave an object back as it was received."""
        digest = moved_digest(key)
        _check_here(file, digest)
        self.bucket.put(key, file)
        with self.bucket.open(key) as copy:
            if not _says(copy, digest):
                raise StorageAway("The bucket gave back other bytes than were written")

    def _drop(self, path: Path) -> None:
        # Synced: a name that came back with a power cut would bring back what retention removed.
        with named_faults():
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def written(self, key: str) -> int:
        """Return when the file of a key in the folder was written, ns since 1970; 0 without one."""
        with named_faults():
            try:
                return self._path(key).stat().st_mtime_ns
            except FileNotFoundError:
                return 0

    def waiting_keys(self) -> Iterator[str]:
        """Yield the keys of what waits for the bucket."""
        with named_faults():
            yield from waiting_keys(self.root)

    def waiting(self) -> Waiting:
        """Return how much waits for the bucket."""
        with named_faults():
            return count_waiting(self.root)

    @contextmanager
    def open(self, key: str) -> Generator[BinaryIO]:
        """Open the object for reading, where it is; the errors are those of a folder."""
        with ExitStack() as opened:
            try:
                file = opened.enter_context(super().open(key))
            except RecordNotFound:
                if not moved_digest(key):
                    raise
                file = opened.enter_context(self.bucket.open(key))
            yield file

    def exists(self, key: str) -> bool:
        """Whether an object is kept under that key."""
        return super().exists(key) or (bool(moved_digest(key)) and self.bucket.exists(key))

    def delete(self, key: str) -> None:
        """Remove the object for good, from both; nothing happens where there is none.

        Raises
        ------
        StorageAway
            If the bucket does not answer, or the object is just being moved.
        """
        if not moved_digest(key):
            super().delete(key)
            return
        try:
            with named_faults(), held_file(self._path(key)):
                self.bucket.delete(key)
                super().delete(key)
        except FileHeld as error:
            raise StorageAway("The object is just being moved to the bucket") from error

    def reach(self) -> None:
        """Return where folder and bucket answer; StorageAway where one does not."""
        super().reach()
        self.bucket.reach()

    def describe(self) -> dict[str, str]:
        """Return what another process of this machine opens it by, `open_described`."""
        return self._described


def _check_here(file: BinaryIO, digest: str | None) -> None:
    """Raise ObjectUnreadable where a file is damaged: it must not take the place of a good one."""
    try:
        is_whole = _says(file, digest)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        raise ObjectUnreadable(f"A kept object cannot be read ({name}) to be moved") from error
    if not is_whole:
        raise ObjectUnreadable("A kept object is damaged; it stays in the folder")
    file.seek(0)


def _says(file: BinaryIO, digest: str | None) -> bool:
    found = read_digest(file, chunk_bytes=_CHUNK_BYTES)
    return found is not None and found[1] == digest

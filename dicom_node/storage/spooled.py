"""An instance fed in fragments: gathered in a file without a name, taken in when it is whole."""

import errno
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Final

from dicom_node.errors import ObjectTooLarge, StorageAway, StorageFull
from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import IngestOutcome, ingest
from dicom_node.storage.part10 import EncodedInstance

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class Announced:
    """What is known of an instance before its data set, as in `EncodedInstance`."""

    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    calling_ae_title: str = ""


class Incoming:
    """A data set on its way in. Whatever ends this process, nothing of it stays behind.

    Raises
    ------
    StorageFull, StorageAway
        If there is no room, or no storage.
    """

    def __init__(self, archive: Archive, announced: Announced) -> None:
        self._archive = archive
        self._announced = announced
        self._size = 0
        self._check_room()
        with _named_faults():
            # Beside the objects: the system's folder for temporary files may be memory.
            self._file = TemporaryFile(dir=archive.storage.root)  # noqa: SIM115 - closed by discard

    def write(self, fragment: bytes) -> None:
        """Take the next bytes of the data set.

        Raises
        ------
        ObjectTooLarge
            If it is larger than the setting allows.
        StorageFull, StorageAway
            If the disk has no room, or fails.
        """
        self._size += len(fragment)
        if self._size > self._archive.maximum_object_bytes:
            raise ObjectTooLarge
        self._check_room()
        with _named_faults():
            self._file.write(fragment)

    def keep(self) -> IngestOutcome:
        """Keep the instance; the errors are those of `ingest`."""
        announced = self._announced
        with _named_faults():
            self._file.seek(0)
            data_set = self._file.read()
        return ingest(
            self._archive,
            EncodedInstance(
                data_set=data_set,
                transfer_syntax_uid=announced.transfer_syntax_uid,
                sop_class_uid=announced.sop_class_uid,
                sop_instance_uid=announced.sop_instance_uid,
                calling_ae_title=announced.calling_ae_title,
            ),
        )

    def discard(self) -> None:
        """Let go of the gathered bytes; again does nothing, and after `keep` it is needed, too."""
        self._file.close()

    def _check_room(self) -> None:
        if self._archive.storage.free_bytes() < self._archive.minimum_free_bytes:
            raise StorageFull("Below minimum_free_mib; free space on the disk")


@contextmanager
def _named_faults() -> Generator[None]:
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        if error.errno in _FULL:
            raise StorageFull(f"Out of storage ({name}); free space on the disk") from error
        raise StorageAway(f"The storage does not answer ({name}); check the disk") from error

"""Taking a DICOM file into the archive as if it had been sent."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from pydicom.uid import MediaStorageDirectoryStorage

from core.errors import InfrastructureError, NodeError
from dicom_node.errors import FileInvalid
from dicom_node.media.files import find_files
from dicom_node.storage.archive import Archive
from dicom_node.storage.incoming_file import IncomingFile
from dicom_node.storage.records import IngestOutcome

_CHUNK_BYTES: Final = 1 << 20
#: Files taken at a time: stores that come at once share syncs and transaction.
_AT_ONCE: Final = 4


class Readable(Protocol):
    """What a file is read by."""

    def read(self, length_bytes: int, /) -> bytes:
        """Read on; empty at the end."""


class Verdict(StrEnum):
    """What became of a file."""

    KEPT = "kept"
    #: Kept before, with the same content: no new work.
    KNOWN = "known"
    REFUSED = "refused"
    #: The directory of a medium, which is no instance.
    DIRECTORY = "directory"
    #: No DICOM file.
    OTHER = "other"


@dataclass(frozen=True)
class Taken:
    """What became of one file.

    Attributes
    ----------
    cause
        Why it was refused, None where it was not.
    study_instance_uid
        The study it names; empty where that could not be read.
    """

    path: Path
    verdict: Verdict
    sop_instance_uid: str = ""
    cause: NodeError | None = None
    study_instance_uid: str = ""

    @property
    def is_instance(self) -> bool:
        """Whether it was one, kept or not."""
        return self.verdict in {Verdict.KEPT, Verdict.KNOWN, Verdict.REFUSED}

    @property
    def message(self) -> str:
        """Why it was refused, in words; empty where it was not."""
        return str(self.cause) if self.cause is not None else ""


class FileUnreadable(NodeError):
    """The file cannot be read; check its permissions and the disk."""


def take_paths(archive: Archive, paths: Iterable[Path], sender: str) -> Iterator[Taken]:
    """Take files, folders and DICOMDIR media in; one result a file, in their order.

    Raises
    ------
    PathUnreadable
        If a path does not exist.
    StorageFull, StorageAway, DatabaseAway
        If nothing can be kept now; what was told before is kept.
    """
    files: Sequence[Path] = list(find_files(paths))
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="take") as threads:
        yield from threads.map(partial(take_path, archive, sender=sender), files)


def take_path(archive: Archive, path: Path, sender: str) -> Taken:
    """Take the file of a path in; the errors are those of `take_file`."""
    try:
        with path.open("rb") as file:
            return take_file(archive, file, path, sender)
    except OSError as error:
        cause = FileUnreadable(f"The file cannot be read: {error.strerror}")
        return Taken(path, Verdict.REFUSED, cause=cause)


def take_file(archive: Archive, file: Readable, path: Path, sender: str) -> Taken:
    """Take an open file in.

    Parameters
    ----------
    sender
        What stands where a calling AE title goes.

    Raises
    ------
    OSError
        If the file cannot be read.
    StorageFull, StorageAway, DatabaseAway
        If nothing can be kept now.
    """
    incoming = IncomingFile(archive, sender, study_instance_uid=None)
    try:
        outcome = _keep(incoming, file)
    except InfrastructureError:
        raise
    except FileInvalid as error:
        return Taken(path, Verdict.OTHER, cause=error)
    except NodeError as error:
        return Taken(path, Verdict.REFUSED, _uid_of(incoming), error, incoming.study_found)
    finally:
        incoming.discard()
    if outcome is None:
        return Taken(path, Verdict.DIRECTORY)
    verdict = Verdict.KEPT if outcome.is_new else Verdict.KNOWN
    study = incoming.study_found
    return Taken(path, verdict, outcome.sop_instance_uid, study_instance_uid=study)


def _keep(incoming: IncomingFile, file: Readable) -> IngestOutcome | None:
    while chunk := file.read(_CHUNK_BYTES):
        incoming.write(chunk)
        meta = incoming.meta
        if meta is not None and meta.sop_class_uid == MediaStorageDirectoryStorage:
            return None
    return incoming.keep()


def _uid_of(incoming: IncomingFile) -> str:
    return incoming.meta.sop_instance_uid if incoming.meta is not None else ""

"""Files that must not be taken in and that the archive has not put aside itself."""

from typing import BinaryIO

from core.clock import Clock
from core.errors import NodeError
from dicom_node.errors import FileRefused, InstanceRefused
from dicom_node.media.digesting import chunks_of, digest_of
from dicom_node.storage.archive import Archive
from dicom_node.storage.part10 import Announced
from dicom_node.storage.quarantine import Aside, Cause, keep_aside


def list_refused(
    archive: Archive, file: BinaryIO, cause: NodeError, sender: str, clock: Clock
) -> None:
    """Keep an open file in quarantine, where administrators look, unless it is too large.

    Raises
    ------
    StorageFull, StorageAway, DatabaseAway
        If it could not be kept now.
    """
    size = file.seek(0, 2)
    if size > archive.maximum_object_bytes:
        return
    refusal = cause if isinstance(cause, InstanceRefused) else FileRefused(str(cause))
    nameless = Announced(
        transfer_syntax_uid="", sop_class_uid="", sop_instance_uid="", calling_ae_title=sender
    )
    aside = Aside(nameless, digest_of(file), size, Cause.of(refusal), clock())
    keep_aside(archive, aside, chunks_of(file))

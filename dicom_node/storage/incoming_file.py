"""A DICOM file fed in fragments: its head is read, its data set goes to the archive as it comes."""

from dicom_node.errors import FileInvalid
from dicom_node.storage.archive import Archive
from dicom_node.storage.file_meta import FileMeta, read_file_meta
from dicom_node.storage.incoming import Incoming
from dicom_node.storage.part10 import Announced
from dicom_node.storage.records import IngestOutcome


class IncomingFile:
    """One file on its way in.

    Parameters
    ----------
    sender
        Who sends it, as an administrator reads it; goes where a calling AE title goes.
    study_instance_uid
        The study it must belong to, None where any will do.
    """

    def __init__(self, archive: Archive, sender: str, study_instance_uid: str | None) -> None:
        self.meta: FileMeta | None = None
        self._archive = archive
        self._sender = sender
        self._study_instance_uid = study_instance_uid
        self._head = b""
        self._incoming: Incoming | None = None

    @property
    def study_found(self) -> str:
        """The study its data set names; empty until that was read."""
        return self._incoming.study_found if self._incoming is not None else ""

    def write(self, fragment: bytes) -> None:
        """Take the next bytes of the file.

        Raises
        ------
        FileInvalid
            If it is no DICOM file.
        """
        if self._incoming is not None:
            self._incoming.write(fragment)
            return
        self._head += fragment
        self.meta = read_file_meta(self._head)
        if self.meta is None:
            return
        data_set, self._head = self._head[self.meta.length_bytes :], b""
        self._incoming = self._open(self.meta)
        self._incoming.write(data_set)

    def keep(self) -> IngestOutcome:
        """Keep the instance the whole file holds.

        Raises
        ------
        FileInvalid
            If the file ends in its head.
        NodeError
            Whatever `Incoming.keep` refuses.
        """
        if self._incoming is None:
            raise FileInvalid
        return self._incoming.keep()

    def discard(self) -> None:
        """Let go of what was gathered; again does nothing."""
        if self._incoming is not None:
            self._incoming.discard()

    def _open(self, meta: FileMeta) -> Incoming:
        announced = Announced(
            transfer_syntax_uid=meta.transfer_syntax_uid,
            sop_class_uid=meta.sop_class_uid,
            sop_instance_uid=meta.sop_instance_uid,
            calling_ae_title=self._sender,
        )
        return Incoming(self._archive, announced, self._study_instance_uid)

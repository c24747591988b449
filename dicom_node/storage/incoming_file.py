"""A DICOM file fed in fragments: its head is read, its data set goes to the archive as it comes."""

import zlib
from contextlib import suppress
from typing import Final

from pydicom.tag import Tag

from dicom_node.errors import FileInvalid, InvalidInstance, StudyMismatch
from dicom_node.storage.archive import Archive
from dicom_node.storage.elements import Walk
from dicom_node.storage.encoding import encoding_of
from dicom_node.storage.file_meta import FileMeta, read_file_meta
from dicom_node.storage.ingest import IngestOutcome
from dicom_node.storage.spooled import Announced, Incoming

#: How far into a data set its study is looked for: what stands before it are codes, names and, in
#: some objects, private data.
MAXIMUM_BEGINNING_BYTES: Final = 1 << 20

_STUDY_INSTANCE_UID: Final = int(Tag("StudyInstanceUID"))


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
        #: The first bytes of the data set, where its study matters.
        self._beginning = b""
        self._incoming: Incoming | None = None

    def write(self, fragment: bytes) -> None:
        """Take the next bytes of the file.

        Raises
        ------
        FileInvalid
            If it is no DICOM file.
        ObjectTooLarge, StorageFull, StorageAway
            As `Incoming`.
        """
        if self._incoming is not None:
            self._write_data_set(self._incoming, fragment)
            return
        self._head += fragment
        self.meta = read_file_meta(self._head)
        if self.meta is None:
            return
        data_set, self._head = self._head[self.meta.length_bytes :], b""
        self._incoming = self._open(self.meta)
        self._write_data_set(self._incoming, data_set)

    def keep(self) -> IngestOutcome:
        """Keep the instance the whole file holds.

        Raises
        ------
        FileInvalid
            If the file ends in its head.
        StudyMismatch
            If it belongs to another study.
        NodeError
            Whatever `ingest` refuses.
        """
        if self.meta is None or self._incoming is None:
            raise FileInvalid
        if self._study_instance_uid is not None:
            self._check_study(self.meta, self._study_instance_uid)
        return self._incoming.keep()

    def discard(self) -> None:
        """Let go of what was gathered; again does nothing."""
        if self._incoming is not None:
            self._incoming.discard()

    def _open(self, meta: FileMeta) -> Incoming:
        announced = Announced(
            meta.transfer_syntax_uid, meta.sop_class_uid, meta.sop_instance_uid, self._sender
        )
        return Incoming(self._archive, announced)

    def _write_data_set(self, incoming: Incoming, fragment: bytes) -> None:
        if self._study_instance_uid is not None:
            room = MAXIMUM_BEGINNING_BYTES - len(self._beginning)
            self._beginning += fragment[:room]
        incoming.write(fragment)

    def _check_study(self, meta: FileMeta, wanted: str) -> None:
        found = _read_study(self._beginning, meta.transfer_syntax_uid)
        # One that names no study at all has a worse fault, which `ingest` tells and keeps aside.
        if found not in {wanted, ""}:
            raise StudyMismatch


def _read_study(beginning: bytes, transfer_syntax_uid: str) -> str:
    """Return the Study Instance UID of a data set of which the end may be missing; or nothing.

    Raises
    ------
    StudyMismatch
        If the beginning is as long as it may be and does not tell.
    """
    try:
        encoding = encoding_of(transfer_syntax_uid)
        elements = _inflate_beginning(beginning) if encoding.is_deflated else beginning
    except (InvalidInstance, zlib.error):
        return ""
    walk = Walk(elements, encoding, frozenset({_STUDY_INSTANCE_UID}))
    with suppress(InvalidInstance):
        # It may be cut off where the beginning ends; what was found before counts.
        walk.run()
    uid = walk.values.get(_STUDY_INSTANCE_UID, b"").decode("latin-1").rstrip("\0 ")
    if not uid and max(len(beginning), len(elements)) >= MAXIMUM_BEGINNING_BYTES:
        raise StudyMismatch("The study could not be read from the beginning of the data set")
    return uid


def _inflate_beginning(deflated: bytes) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(deflated, MAXIMUM_BEGINNING_BYTES)

"""An instance on its way in, through whatever door: fed by fragments, kept whole or not at all.

Memory is bounded whatever its size: fragments go to a file as they come, the digest is taken on the
way, and its attributes are read from the file.
"""

from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from mmap import mmap
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from core.audit.trail import note_study
from core.clock import Clock, utc_now
from core.errors import NodeError
from dicom_node.errors import (
    InstanceConflict,
    InstanceRefused,
    ObjectTooLarge,
    SOPMismatch,
    StudyMismatch,
    UnsupportedSOPClass,
)
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.archive import Archive
from dicom_node.storage.bytes import named_faults
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.header import Header, read_header
from dicom_node.storage.instances import Arrival
from dicom_node.storage.part10 import Announced, file_preamble
from dicom_node.storage.quarantine import KEPT_BESIDE, Aside, Cause, keep_aside
from dicom_node.storage.records import IngestOutcome
from dicom_node.storage.refused_stores import LISTED, list_refusal
from dicom_node.storage.replacement import find_kept, replace
from dicom_node.storage.unfinished import Unfinished

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_CHUNK_BYTES: Final = 1 << 20
#: How many times the largest object is listened to before its sender is broken off.
_PATIENCE: Final = 64


class Incoming:
    """One instance that is arriving.

    A fault on the way does not stop its sender: what still comes is dropped, and `keep` says what
    was wrong, so that the sender hears a status and goes on with the next object.

    Parameters
    ----------
    announced
        What the command, or the file meta information, says of it.
    study_instance_uid
        The study it must belong to; None where any will do.
    """

    def __init__(
        self,
        archive: Archive,
        announced: Announced,
        study_instance_uid: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._archive = archive
        self._announced = announced
        self._study_instance_uid = study_instance_uid
        self._clock = clock
        self._digest = sha256()
        self._size_bytes = 0
        self._preamble = file_preamble(announced)
        self._unfinished: Unfinished | None = None
        self._fault: NodeError | None = None
        #: The study its data set names; empty until that was read.
        self.study_found = ""
        try:
            self._open()
        except NodeError as fault:
            self._drop(fault)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def write(self, fragment: "ReadableBuffer") -> None:
        """Take the next bytes of the encoded data set."""
        self._size_bytes += memoryview(fragment).nbytes
        if self._unfinished is None:
            return
        self._digest.update(fragment)
        try:
            if self._size_bytes > self._archive.maximum_object_bytes:
                raise ObjectTooLarge
            with named_faults():
                self._unfinished.write(fragment)
        except NodeError as fault:
            self._drop(fault)

    @property
    def is_without_end(self) -> bool:
        """Whether so much came that its sender need not be heard to the end."""
        return self._size_bytes > _PATIENCE * self._archive.maximum_object_bytes

    def keep(self) -> IngestOutcome:
        """Keep the instance; when this returns, its bytes and rows survive a power cut.

        Raises
        ------
        ObjectTooLarge, UnsupportedSOPClass
            If it is refused; nothing of it is kept, but it is listed with what is in quarantine.
        StudyMismatch
            If it is refused; nothing of it is kept.
        InstanceRefused
            If it must not be taken in; it is in quarantine then, with its cause.
        StorageFull, StorageAway, DatabaseAway
            If it could not be kept now; the sender may try again.
        """
        try:
            return self._keep()
        except LISTED as refusal:
            list_refusal(self._archive, self._announced, refusal, self._clock())
            raise

    def _keep(self) -> IngestOutcome:
        unfinished = self._unfinished
        if unfinished is None:
            raise self._fault or AssertionError("an instance is kept once")
        with self:
            self._check_room()
            try:
                arrival = self._arrival()
                with named_faults():
                    unfinished.sync()
                note_study(self.study_found)
                outcome = self._commit(arrival, unfinished)
            except InstanceRefused as refusal:
                self._keep_aside(Cause.of(refusal))
                raise
            self._archive.storage.settle(unfinished)
            return outcome

    def _commit(self, arrival: Arrival, unfinished: Unfinished) -> IngestOutcome:
        try:
            return self._archive.commits.commit(arrival, unfinished)
        except InstanceConflict:
            match self._archive.duplicates:
                case DuplicatePolicy.REFUSE:
                    raise
                case DuplicatePolicy.KEEP_BOTH:
                    self._keep_aside(KEPT_BESIDE)
                    return find_kept(self._archive, arrival)
                case DuplicatePolicy.REPLACE:
                    return replace(self._archive, arrival, unfinished)

    def discard(self) -> None:
        """Forget it, as when its sender breaks off; nothing happens to one that was kept."""
        if self._unfinished is not None:
            self._unfinished.discard()
            self._unfinished = None

    def _open(self) -> None:
        if self._announced.sop_class_uid not in ACCEPTED_SOP_CLASSES:
            raise UnsupportedSOPClass
        self._check_room()
        unfinished = self._unfinished = self._archive.storage.begin()
        with named_faults():
            unfinished.write(self._preamble)

    def _drop(self, fault: NodeError) -> None:
        self._fault = fault
        self.discard()

    def _check_room(self) -> None:
        self._archive.storage.admit(self._archive.minimum_free_bytes)

    def _arrival(self) -> Arrival:
        return Arrival(
            announced=self._announced,
            header=self._read_announced(),
            digest=self._digest.hexdigest(),
            size_bytes=self._size_bytes,
            received_at=self._clock(),
        )

    def _read_announced(self) -> Header:
        announced, limit = self._announced, self._archive.maximum_object_bytes
        with self._mapped() as file:
            header = read_header(file, announced.transfer_syntax_uid, limit, len(self._preamble))
        self.study_found = header.study_instance_uid
        uids = (announced.sop_class_uid, announced.sop_instance_uid)
        if (header.sop_class_uid, header.sop_instance_uid) != uids:
            raise SOPMismatch
        if self._study_instance_uid not in {None, header.study_instance_uid}:
            raise StudyMismatch
        return header

    @contextmanager
    def _mapped(self) -> Generator[mmap]:
        if self._unfinished is None:
            raise AssertionError("nothing was written")
        with named_faults(), self._unfinished.mapped() as file:
            yield file

    def _keep_aside(self, cause: Cause) -> None:
        aside = Aside(
            self._announced, self._digest.hexdigest(), self._size_bytes, cause, self._clock()
        )
        with self._mapped() as file:
            keep_aside(self._archive, aside, iter(lambda: file.read(_CHUNK_BYTES), b""))

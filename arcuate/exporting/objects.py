"""One object of an export: read, made nobody's, written; or refused."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom import dcmread, dcmwrite
from pydicom.errors import InvalidDicomError

from arcuate.exporting.object_list import REFUSED, WRITTEN, ListedObject
from arcuate.exporting.order import ExportOrder
from arcuate.exporting.selection import ChosenObject
from core.errors import RecordNotFound
from dicom_node.deidentification.deidentifying import Deidentifier
from dicom_node.deidentification.refusals import (
    UNSAID_WARNING,
    Refusal,
    leaves_text_unsaid,
    refusal_of,
)
from dicom_node.devices.attributes import READING_ERRORS, silenced_reader
from dicom_node.errors import ObjectUnreadable
from dicom_node.storage.bytes import Storage

FOLDER: Final = "objects"
_BROKEN: Final = (*READING_ERRORS, InvalidDicomError)


@dataclass(frozen=True)
class _Cleaned:
    """An object as it is written."""

    content: bytes
    warning: str = ""


@dataclass(frozen=True)
class ObjectWriter:
    """What writes the objects of an order."""

    order: ExportOrder
    storage: Storage

    def write(self, chosen: ChosenObject) -> ListedObject:
        """Write an object and return its line of the list.

        Raises
        ------
        StorageAway
            If the storage does not answer.
        """
        names = self.order.pseudonyms
        cleaned = self._clean(chosen)
        listed = ListedObject(
            sop_instance_uid=names.uid(chosen.sop_instance_uid),
            patient=names.patient(chosen.patient),
            study_instance_uid=names.uid(chosen.study_instance_uid),
            sop_class_uid=chosen.sop_class_uid,
            outcome=REFUSED if isinstance(cleaned, Refusal) else WRITTEN,
            cause=cleaned.value if isinstance(cleaned, Refusal) else "",
            explanation=cleaned.explanation if isinstance(cleaned, Refusal) else "",
            warning="" if isinstance(cleaned, Refusal) else cleaned.warning,
        )
        if not isinstance(cleaned, Refusal):
            _put(self._path_of(listed), cleaned.content)
        return listed

    def _path_of(self, listed: ListedObject) -> Path:
        folder = self.order.folder / FOLDER / listed.patient / listed.study_instance_uid
        return folder / f"{listed.sop_instance_uid}.dcm"

    def _clean(self, chosen: ChosenObject) -> _Cleaned | Refusal:
        if not chosen.is_kept:
            return Refusal.BYTES_REMOVED
        try:
            with self.storage.open(chosen.storage_key) as file:
                content = file.read()
        except (RecordNotFound, ObjectUnreadable):
            return Refusal.UNREADABLE
        try:
            return self._cleaned(content, chosen)
        except MemoryError:
            return Refusal.TOO_LARGE
        except _BROKEN:
            return Refusal.UNREADABLE

    def _cleaned(self, content: bytes, chosen: ChosenObject) -> _Cleaned | Refusal:
        with silenced_reader():
            dataset = dcmread(BytesIO(content))
            refusal = refusal_of(dataset, chosen.analysis)
            if refusal is not None:
                return refusal
            warning = UNSAID_WARNING if leaves_text_unsaid(dataset) else ""
            deidentifier = Deidentifier(self.order.pseudonyms, self.order.options)
            deidentifier.deidentify(dataset, chosen.patient)
            written = BytesIO()
            dcmwrite(written, dataset, enforce_file_format=True)
        return _Cleaned(written.getvalue(), warning)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)

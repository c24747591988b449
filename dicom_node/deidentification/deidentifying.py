"""One object, made nobody's: cleaned, named by pseudonyms, caught by the last net, and marked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydicom import DataElement, Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID

from core.pseudonyms import Pseudonyms
from core.values.identity import PatientIdentity
from dicom_node.deidentification.cleaning import Cleaner
from dicom_node.deidentification.dummies import dummy_of
from dicom_node.deidentification.identity_net import IdentityNet, net_of
from dicom_node.deidentification.options import (
    BASIC_PROFILE,
    METHODS,
    STRUCTURED_CONTENT,
    Method,
    Option,
)
from dicom_node.deidentification.table import EDITION
from dicom_node.devices.attributes import silenced_reader
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_TEXTS: Final = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
#: Schemes whose meanings are their own, and name no one.
_STANDARD_SCHEMES: Final = frozenset({"DCM", "SCT", "SRT", "UCUM", "LN", "UMLS", "RADLEX"})
_MEANING: Final = Tag("CodeMeaning")
#: What we write ourselves afterwards.
_OWN: Final = frozenset(map(Tag, ("PatientID", "PatientName")))


@dataclass(frozen=True)
class Deidentifier:
    """What makes objects of a project nobody's."""

    pseudonyms: Pseudonyms
    options: frozenset[Option] = frozenset()

    def deidentify(self, dataset: FileDataset, patient: PatientIdentity) -> None:
        """Change an object in place so that it names no one.

        Parameters
        ----------
        dataset
            Whole, as it was read; PS3.15 E.1 says what may stay.
        patient
            Whose it is, by the record.
        """
        net = net_of(dataset, patient)
        days_back = self.pseudonyms.days_back(patient)
        is_document = "ContentSequence" in dataset
        syntax = dataset.file_meta.TransferSyntaxUID
        with silenced_reader():
            Cleaner(self.pseudonyms, days_back, self.options).clean(dataset)
            _catch(dataset, net)
        dataset.PatientID = dataset.PatientName = self.pseudonyms.patient(patient)
        self._mark(dataset, is_document)
        dataset.preamble = bytes(128)
        dataset.file_meta = _file_meta(dataset, syntax)

    def _mark(self, dataset: Dataset, is_document: bool) -> None:
        methods = [BASIC_PROFILE, *(METHODS[option] for option in Option if option in self.options)]
        if is_document:
            methods.append(STRUCTURED_CONTENT)
        dates_moved = Option.MODIFIED_DATES in self.options
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = [f"PS3.15 {EDITION} E.1-1", "Arcuate"]
        dataset.DeidentificationMethodCodeSequence = [_code(method) for method in methods]
        dataset.LongitudinalTemporalInformationModified = "MODIFIED" if dates_moved else "REMOVED"


def _code(method: Method) -> Dataset:
    item = Dataset()
    item.CodeValue = method.code
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = method.meaning
    return item


def _file_meta(dataset: Dataset, transfer_syntax_uid: str) -> FileMetaDataset:
    # A new one: the old one may name who sent it, and hold private information.
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(dataset.SOPClassUID)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def _catch(dataset: Dataset, net: IdentityNet) -> None:
    for element in _elements(dataset):
        values = element.value if isinstance(element.value, MultiValue) else [element.value]
        if element.tag not in _OWN and any(net.catches(str(value)) for value in values if value):
            element.value = dummy_of(element.VR)


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """Yield the texts of a data set and of all items in it."""
    is_standard = str(dataset.get("CodingSchemeDesignator", "")) in _STANDARD_SCHEMES
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        elif element.VR in _TEXTS and not (is_standard and element.tag == _MEANING):
            yield element

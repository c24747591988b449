"""The structured report for a peer that refuses Comprehensive 3D SR."""

from copy import deepcopy
from typing import Final

from pydicom import Dataset
from pydicom.uid import UID, Comprehensive3DSRStorage, ComprehensiveSRStorage

from reports.identifiers import derived_uid

_SECOND_FORM: Final = "comprehensive"


def as_comprehensive_sr(report: Dataset) -> Dataset:
    """Return the same tree as Comprehensive SR, as an object of its own.

    Nothing in the tree needs three dimensions, so nothing is lost. Two SOP classes cannot share a
    SOP Instance UID: this one's is derived from the report's. So is that of every report of ours it
    names, as predecessor or evidence: such a peer got those in this form, too.
    """
    document = deepcopy(report)
    document.SOPClassUID = ComprehensiveSRStorage
    document.SOPInstanceUID = _second_uid(report.SOPInstanceUID)
    document.file_meta.MediaStorageSOPClassUID = document.SOPClassUID
    document.file_meta.MediaStorageSOPInstanceUID = document.SOPInstanceUID
    for element in document.iterall():
        if element.keyword == "ReferencedSOPSequence":
            for item in element.value:
                _refer(item)
    return document


def _refer(item: Dataset) -> None:
    if item.get("ReferencedSOPClassUID") == Comprehensive3DSRStorage:
        item.ReferencedSOPClassUID = ComprehensiveSRStorage
        item.ReferencedSOPInstanceUID = _second_uid(item.ReferencedSOPInstanceUID)


def _second_uid(sop_instance_uid: str) -> UID:
    return UID(derived_uid(_SECOND_FORM, sop_instance_uid))

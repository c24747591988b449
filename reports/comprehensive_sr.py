"""The structured report for a peer that refuses Comprehensive 3D SR."""

from copy import deepcopy

from pydicom import Dataset
from pydicom.uid import ComprehensiveSRStorage

from reports.identifiers import derived_uid


def as_comprehensive_sr(report: Dataset) -> Dataset:
    """Return the same tree as Comprehensive SR, as an object of its own.

    Nothing in the tree needs three dimensions, so nothing is lost. Two SOP classes cannot share a
    SOP Instance UID: this one's is derived from the report's.
    """
    document = deepcopy(report)
    document.SOPClassUID = ComprehensiveSRStorage
    document.SOPInstanceUID = derived_uid("comprehensive", report.SOPInstanceUID)
    document.file_meta.MediaStorageSOPClassUID = document.SOPClassUID
    document.file_meta.MediaStorageSOPInstanceUID = document.SOPInstanceUID
    return document

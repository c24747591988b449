"""What a built report must say before it is kept or sent: read from the report, not from its maker.

The wrong eye is the worst a report can tell. So whatever a report is made by, its eye, its places
and its numbers are read back here and compared with the prediction, by rules of their own.
"""

from typing import Final

from pydicom import Dataset
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    SecondaryCaptureImageStorage,
)

from core.values.both_eyes import BothEyes
from core.values.laterality import Laterality
from core.values.prediction import Prediction
from reports.errors import require
from reports.tree_checks import check_eyes_of_tree, check_field_of_tree, check_no_numbers

#: Modality of each class there may be. Never a measured field (OPV, ...80.1): an estimate written
#: as one passes every validator.
EMITTED: Final = {
    Comprehensive3DSRStorage: "SR",
    ComprehensiveSRStorage: "SR",
    EnhancedSRStorage: "SR",
    SecondaryCaptureImageStorage: "OT",
    EncapsulatedPDFStorage: "DOC",
}
_BOTH: Final = "B"
#: The words that lists, viewers and readers must all meet.
_NOT_MEASURED: Final = "not measured"


def check_report(report: Dataset, prediction: Prediction) -> None:
    """Compare the report of one prediction with it.

    Raises
    ------
    ReportWrong
        If they differ; the message names the attribute.
    """
    check_header(report, prediction)
    eye = prediction.laterality
    _check_description(report, f"VF 24-2 {eye.value if eye else 'eye unknown'} -")
    _check_side(report, eye.value if eye else "")
    if report.Modality == "SR":
        check_eyes_of_tree(report, (eye,))
    if report.SOPClassUID in {Comprehensive3DSRStorage, ComprehensiveSRStorage}:
        check_field_of_tree(report, prediction)


def check_both_eyes(report: Dataset, both: BothEyes) -> None:
    """Compare the report of both eyes of a study with their predictions.

    Raises
    ------
    ReportWrong
        If they differ; the message names the attribute.
    """
    right, left = both.right.prediction, both.left.prediction
    check_header(report, right)
    check_header(report, left)
    require(
        (right.laterality, left.laterality) == (Laterality.RIGHT, Laterality.LEFT),
        "its two predictions are not of a right and a left eye",
    )
    _check_description(report, "VF 24-2 R+L -")
    _check_side(report, _BOTH)
    if report.Modality == "SR":
        check_eyes_of_tree(report, tuple(Laterality))
    for eye in both.eyes:
        if eye.withheld is not None:
            _check_description(report, "not to be used")
            check_no_numbers(report, eye.prediction.laterality)


def check_header(report: Dataset, prediction: Prediction) -> None:
    """Check what holds of every report of a prediction."""
    _check_class(report)
    require(
        report.get("StudyInstanceUID") == prediction.source.study_instance_uid,
        "Study Instance UID (0020,000D) is not that of the scan",
    )
    scan = prediction.source.sop_instance_uid
    require(scan in _named_instances(report), "it does not name the scan it was made from")
    if report.SOPClassUID == SecondaryCaptureImageStorage:
        _check_picture(report)
    if report.SOPClassUID == EncapsulatedPDFStorage:
        _check_document(report)


def _check_class(report: Dataset) -> None:
    modality = EMITTED.get(report.get("SOPClassUID"))
    require(modality is not None, "SOP Class UID (0008,0016) is none that is ever emitted")
    require(report.get("Modality") == modality, "Modality (0008,0060) is not that of its class")
    meta = report.file_meta
    require(
        (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID)
        == (report.SOPClassUID, report.SOPInstanceUID),
        "the file meta information names another object",
    )


def _check_description(report: Dataset, words: str) -> None:
    described = str(report.get("SeriesDescription", ""))
    require(
        words in described and _NOT_MEASURED in described,
        f"Series Description (0008,103E) does not say {words!r} and {_NOT_MEASURED!r}",
    )


def _check_side(report: Dataset, expected: str) -> None:
    """Check every attribute of the header that names an eye."""
    for keyword in ("Laterality", "ImageLaterality"):
        stated = str(report.get(keyword) or "")
        require(
            keyword not in report or stated == expected, f"{keyword} is not the eye of the scan"
        )
    is_drawn = report.Modality in {"OT", "DOC"}
    require(
        not is_drawn or not expected or "Laterality" in report or "ImageLaterality" in report,
        "no attribute says which eye it shows",
    )


def _check_picture(report: Dataset) -> None:
    require(
        list(report.ImageType[:2]) == ["DERIVED", "SECONDARY"],
        "Image Type (0008,0008) does not say that it is derived",
    )
    require(
        "not a measured visual field" in report.DerivationDescription,
        "Derivation Description (0008,2111) does not say that nothing was measured",
    )
    _check_burned_in(report)


def _check_document(report: Dataset) -> None:
    length = report.EncapsulatedDocumentLength
    document = report.EncapsulatedDocument
    require(document[:5] == b"%PDF-", "Encapsulated Document (0042,0011) is no PDF")
    require(
        document[:length].rstrip().endswith(b"%%EOF"),
        "Encapsulated Document Length (0042,0015) is not where the document ends",
    )
    require(
        _NOT_MEASURED in report.DocumentTitle,
        "Document Title (0042,0010) does not say that nothing was measured",
    )
    _check_burned_in(report)


def _check_burned_in(report: Dataset) -> None:
    require(
        report.get("BurnedInAnnotation") == "YES",
        "Burned In Annotation (0028,0301) does not say that it shows a name",
    )


def _named_instances(report: Dataset) -> set[str]:
    """Return every instance that a report refers to, at any depth."""
    found = set()
    for element in report.iterall():
        if element.keyword == "ReferencedSOPInstanceUID":
            found.add(str(element.value))
    return found

"""The coded concepts of the reports. A code, once published, never changes its meaning.

Retired SNOMED spellings are never written, and neither is a test strategy: no code of CID 4251
means "estimated", and importers take such a code at its word.
"""

from typing import Final

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from reports.identifiers import derived_uid
from reports.outcome import Outcome

#: Begins with 99 as PS3.3 section 8.2 asks of private schemes; at most 16 characters.
SCHEME: Final = "99ARCUATE"
SCHEME_UID: Final[UID] = derived_uid("coding-scheme", SCHEME)


def _private(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value=value, scheme_designator=SCHEME, meaning=meaning)


def _snomed(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value=value, scheme_designator="SCT", meaning=meaning)


def _ucum(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value=value, scheme_designator="UCUM", meaning=meaning)


ESTIMATED_FIELD: Final = _private("EVF", "Estimated 24-2 visual field (AI, from OCT; not measured)")
ESTIMATED_POINT: Final = _private("EVFPT", "Estimated test point (AI, from OCT; not measured)")
FUNDUS_FIELD: Final = _private("EVFF", "Estimated 24-2 field (AI, from photograph; not measured)")
FUNDUS_POINT: Final = _private("EVFFPT", "Estimated point (AI, from photograph; not measured)")
POINT_SENSITIVITY: Final = _private("PTS", "Point sensitivity")
POINT_TOTAL_DEVIATION: Final = _private("PTTD", "Point total deviation")
POINT_PATTERN_DEVIATION: Final = _private("PTPD", "Point pattern deviation")
POINT_X: Final = _private("PTX", "Point x, degrees from fixation, + right as patient sees")
POINT_Y: Final = _private("PTY", "Point y, degrees from fixation, + up")
MEAN_SENSITIVITY: Final = _private("MS", "Mean sensitivity")
TEST_PATTERN: Final = _private("VFPAT", "Test pattern")
ESTIMATION_FROM_OCT: Final = _private("M_OCT", "Estimation from OCT by machine learning")
ESTIMATION_FROM_PHOTOGRAPH: Final = _private(
    "M_FUNDUS", "Estimation from fundus photograph by machine learning"
)
REPORT_TITLE: Final = _private("EVFREP", "Estimated 24-2 visual field report (AI; not measured)")
REASON: Final = _private("EVFRSN", "Reason why no visual field was estimated")
EYE: Final = _private("EVFEYE", "Eye of the scan")
EYE_UNKNOWN: Final = _private("EVFEYEU", "Eye could not be determined")

#: What a report without a field finds.
_NO_FIELD: Final[dict[Outcome, CodedConcept]] = {
    Outcome.NOT_ASSESSABLE: _private("EVFNA", "Scan not assessable: no visual field estimated"),
    Outcome.FAILED: _private("EVFFL", "Processing failed: no visual field estimated"),
}

#: One code a reason: a Code Value has 16 characters at most, so the reason's own name is too long.
REASON_CODES: Final[dict[ReasonCode, CodedConcept]] = {
    ReasonCode.LATERALITY_MISSING: _private("RSN01", "Laterality missing"),
    ReasonCode.LATERALITY_CONFLICT: _private("RSN02", "Laterality stated differently"),
    ReasonCode.LATERALITY_BOTH: _private("RSN03", "Laterality says both eyes"),
    ReasonCode.PIXELS_UNREADABLE: _private("RSN04", "Pixels unreadable"),
    ReasonCode.PIXELS_TRUNCATED: _private("RSN05", "Pixels truncated"),
    ReasonCode.VENDOR_ENCRYPTED_PIXELS: _private("RSN06", "Pixels encrypted by the vendor"),
    ReasonCode.DERIVED_OR_BURNED_IN: _private("RSN07", "Derived image or burned-in annotation"),
    ReasonCode.SCAN_PATTERN_UNSUPPORTED: _private("RSN08", "Scan pattern not supported"),
    ReasonCode.PATTERN_UNKNOWN: _private("RSN09", "Scan pattern unknown"),
    ReasonCode.PATTERN_CONFLICT: _private("RSN10", "Scan pattern stated differently"),
    ReasonCode.SPACING_MISSING: _private("RSN11", "Pixel spacing missing"),
    ReasonCode.SPACING_IMPLAUSIBLE: _private("RSN12", "Pixel spacing implausible"),
    ReasonCode.TOO_LARGE: _private("RSN13", "Image too large"),
    ReasonCode.NOT_MODEL_INPUT: _private("RSN14", "Not an input of the model"),
    ReasonCode.DISC_NOT_FOUND: _private("RSN15", "Optic disc not found"),
    ReasonCode.SIGNAL_TOO_LOW: _private("RSN16", "Signal too low"),
    ReasonCode.SEGMENTATION_UNRELIABLE: _private("RSN17", "Layer segmentation unreliable"),
    ReasonCode.AGE_MISSING: _private("RSN18", "Age missing"),
    ReasonCode.OUTSIDE_INTENDED_USE: _private("RSN19", "Outside the intended use"),
    ReasonCode.PROCESSING_FAILED: _private("RSN20", "Processing failed"),
}

MEAN_DEVIATION: Final = _snomed("422859007", "Mean deviation")
ESTIMATED: Final = _snomed("414135002", "Estimated")
IMAGING_PROCEDURE: Final = _snomed("363679005", "Imaging procedure")
WHOLE_EYE: Final = _snomed("81745001", "Eye")
LATERALITY: Final[dict[Laterality, CodedConcept]] = {
    Laterality.RIGHT: _snomed("24028007", "Right"),
    Laterality.LEFT: _snomed("7771000", "Left"),
}
PATTERN_24_2: Final = CodedConcept("111800", "DCM", "Visual Field 24-2 Test Pattern")
FINDING: Final = CodedConcept("121071", "DCM", "Finding")
FINDING_SITE: Final = CodedConcept("363698007", "SCT", "Finding Site")
SIDE: Final = CodedConcept("272741003", "SCT", "Laterality")
COMMENT: Final = CodedConcept("121106", "DCM", "Comment")
ARTIFICIAL_INTELLIGENCE: Final = CodedConcept("123110", "DCM", "Artificial Intelligence")
SOURCE_IMAGE: Final = CodedConcept("121322", "DCM", "Source image for image processing operation")
PROCESSING_EQUIPMENT: Final = codes.DCM.ProcessingEquipment

DECIBEL: Final = _ucum("dB", "decibel")
DEGREE: Final = _ucum("deg", "degrees")


def finding_of(outcome: Outcome, *, is_of_photograph: bool) -> CodedConcept:
    """Return what a report finds as a whole."""
    estimated = FUNDUS_FIELD if is_of_photograph else ESTIMATED_FIELD
    return _NO_FIELD.get(outcome, estimated)


def coding_scheme() -> CodingSchemeIdentificationItem:
    """Return the declaration of the private scheme for (0008,0110)."""
    item = CodingSchemeIdentificationItem(
        designator=SCHEME,
        name="Arcuate estimated visual field",
        responsible_organization="Arcuate",
    )
    # The library writes the UID of registered schemes only.
    item.CodingSchemeUID = SCHEME_UID
    return item

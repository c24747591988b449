"""The headers a report is made from: checked against the prediction, cleaned, in Unicode.

What comes in is lenient, what goes out is strict: text is decoded from whatever character set it
stood in, impossible dates become empty, missing Type 2 attributes are added empty. An identifier
is never shortened or corrected.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from unicodedata import category

from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.uid import UID

from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import Prediction
from reports.errors import SourceConflict, SourceMissing, SourceUnsupported
from reports.source_classes import IMAGES
from reports.source_dates import is_date_or_time

#: Type 2 of the Patient and General Study modules: empty where the source has none.
_REQUIRED: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)

#: Copied from the source to the report where it has them.
IDENTITY: Final = (
    *_REQUIRED,
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "StudyInstanceUID",
    "StudyDescription",
    "IssuerOfAccessionNumberSequence",
    "PatientAge",
)

#: Read for references to the source and for the equipment that took it.
_REFERENCE: Final = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "Modality",
    "Rows",
    "Columns",
    "FrameOfReferenceUID",
    "AcquisitionDateTime",
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "DeviceSerialNumber",
    "InstitutionName",
    "StationName",
)
_LATERALITY: Final = ("ImageLaterality", "Laterality")
_OTHER: Final = ("TimezoneOffsetFromUTC", "RequestAttributesSequence", *_LATERALITY)

#: Sequences within sequences that are kept: codes of an order need two, no attribute more.
_DEEPEST: Final = 3

_DATES: Final = frozenset({"DA", "TM", "DT"})
_SEXES: Final = frozenset({"", "M", "F", "O"})
_STORAGE: Final = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.[\d.]+")


def read_sources(prediction: Prediction, sources: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """Return a cleaned header of each source, that of the predicted instance first.

    Raises
    ------
    SourceMissing
        If the predicted instance is not among them.
    SourceConflict
        If a source belongs to another patient or eye, or the predicted instance to another study.
    SourceUnsupported
        If a source is of no storage SOP class of the standard.
    """
    headers: dict[str, Dataset] = {}
    for source in sources:
        header = _header(source)
        headers.setdefault(str(header.get("SOPInstanceUID", "")), header)
    predicted = headers.pop(prediction.source.sop_instance_uid, None)
    if predicted is None:
        raise SourceMissing(
            f"Instance {prediction.source.sop_instance_uid} is not among the "
            f"{len(sources)} sources; pass the header the prediction was made from"
        )
    ordered = (predicted, *headers.values())
    _check(prediction, ordered)
    return ordered


def reference_of(header: Dataset) -> Dataset:
    """Return only what a reference needs, with the Type 2 identity empty.

    Names and numbers are put on the finished report by `copy_identity`: the library would refuse
    an identifier that is longer than the standard allows, and a lost report is worse than that.
    """
    reference = Dataset()
    for keyword in _REFERENCE:
        if keyword in header:
            reference[keyword] = header[keyword]
    for keyword in _REQUIRED:
        setattr(reference, keyword, "")
    return reference


def image_of(header: Dataset) -> Dataset | None:
    """Return the reference where it is of an image an SR can describe, else None."""
    sized = isinstance(header.get("Rows"), int) and isinstance(header.get("Columns"), int)
    if sized and header.SOPClassUID in IMAGES:
        return reference_of(header)
    return None


def copy_identity(header: Dataset, report: Dataset) -> None:
    """Put patient, study and accession of the source on the report, as the source has them."""
    for keyword in IDENTITY:
        if keyword in header:
            report[keyword] = header[keyword]


def patient_of(header: Dataset, known: PatientIdentity) -> PatientIdentity:
    """Return the patient as the scan itself names them, under the identifiers of the record.

    The record keeps what the first object with this Patient ID said. Where two people were given
    one ID it would put the name of the one on the eye of the other.
    """
    born = str(header.PatientBirthDate).strip()
    return PatientIdentity(
        known.patient_id,
        known.issuer,
        name=str(header.PatientName),
        birth_date=date.fromisoformat(born) if born else None,
        sex=header.PatientSex or None,
    )


def _header(source: Dataset) -> Dataset:
    header = _cleaned(source, (*IDENTITY, *_REFERENCE, *_OTHER))
    for keyword in _REQUIRED:
        if keyword not in header:
            setattr(header, keyword, "")
    if header.PatientSex not in _SEXES:
        header.PatientSex = ""
    return header


def _cleaned(source: Dataset, keywords: Iterable[str], depth: int = 0) -> Dataset:
    target = Dataset()
    for keyword in keywords:
        # A private attribute has no keyword, and no place in a report.
        tag = tag_for_keyword(keyword)
        value = _value(source, keyword) if tag else None
        if value is None or tag is None:
            continue
        vr = dictionary_VR(tag)
        target[keyword] = DataElement(
            tag, vr, _clean_value(vr, value, depth), validation_mode=config.IGNORE
        )
    return target


def _value(source: Dataset, keyword: str) -> Any:
    if keyword not in source:
        return None
    with warnings.catch_warnings():
        # A wrong character set declaration costs some letters of a name, never the report.
        warnings.simplefilter("ignore", UserWarning)
        try:
            value = source[keyword].value
            return str(value) if dictionary_VR(keyword) == "PN" else value
        except (ValueError, TypeError, NotImplementedError, LookupError):
            # An element too broken to be read is one the source does not have.
            return None


def _clean_value(vr: str, value: Any, depth: int) -> Any:
    if vr == "SQ":
        items = value if depth < _DEEPEST else ()
        return [_cleaned(item, map(keyword_for_tag, item.keys()), depth + 1) for item in items]
    if isinstance(value, bytes):
        return ""
    if vr in _DATES:
        return str(value) if is_date_or_time(vr, str(value)) else ""
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, Sequence):
        return [_encodable(str(part)) for part in value]
    return value


def _encodable(text: str) -> str:
    """Return the text without control characters and halves of letters, which UTF-8 has not."""
    return "".join(letter for letter in text if category(letter) not in {"Cc", "Cs"}).strip()


def _check(prediction: Prediction, headers: Sequence[Dataset]) -> None:
    for header in headers:
        _check_class(header)
        if comparable(header.PatientID) != comparable(prediction.patient.patient_id):
            raise SourceConflict(
                f"Instance {header.SOPInstanceUID} carries another Patient ID than the prediction; "
                "score the instance again"
            )
    if headers[0].get("StudyInstanceUID") != prediction.source.study_instance_uid:
        raise SourceConflict(
            f"Instance {headers[0].SOPInstanceUID} belongs to another study than the prediction "
            "says; score the instance again"
        )
    for header in headers:
        _check_eye(prediction, header)


def _check_eye(prediction: Prediction, header: Dataset) -> None:
    named = {header.get(keyword) for keyword in _LATERALITY} & set(Laterality)
    if prediction.laterality and named - {prediction.laterality}:
        raise SourceConflict(
            f"Instance {header.SOPInstanceUID} shows another eye than the prediction says; "
            "score the instance again"
        )


def _check_class(header: Dataset) -> None:
    sop_class_uid = UID(str(header.get("SOPClassUID", "")))
    if sop_class_uid.type != "SOP Class" or not _STORAGE.fullmatch(sop_class_uid):
        raise SourceUnsupported(
            f"SOP class {sop_class_uid or '(none)'} is no storage class of the standard; a report "
            "can refer to standard objects only: export the scan as such"
        )


def comparable(patient_id: object) -> str:
    """Return what of a Patient ID two readings of it can be compared by."""
    # Only what every character set writes alike: decoders may differ on the rest.
    letters = (letter for letter in str(patient_id) if letter.isascii() and letter.isprintable())
    return "".join(letters).strip()

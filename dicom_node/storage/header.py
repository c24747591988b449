"""The identifying attributes of an instance, read from its encoded data set without its pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from mmap import mmap
from typing import Final, Literal

from pydicom.datadict import tag_for_keyword

from dicom_node.errors import InvalidInstance, PatientIDMissing
from dicom_node.storage.elements import Walk
from dicom_node.storage.encoding import Encoding, encoding_of, inflate
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.text import decode_text

_UIDS: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_IDENTITY: Final = ("PatientID", "IssuerOfPatientID")
_TEXTS: Final = (
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "AccessionNumber",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "ReferringPhysicianName",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "Laterality",
    "Manufacturer",
    "ManufacturerModelName",
    "DeviceSerialNumber",
    "InstanceNumber",
)
#: Attributes that are only searched for and shown: nothing in them refuses an object.
_DETAILS: Final = (
    "SeriesDate",
    "SeriesTime",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "NumberOfFrames",
    "ContentDate",
    "ContentTime",
    "CompletionFlag",
    "VerificationFlag",
)
_NUMBERS: Final = ("Rows", "Columns")
_NESTED: Final = {
    "RequestAttributesSequence": ("ScheduledProcedureStepID", "RequestedProcedureID"),
    "ConceptNameCodeSequence": ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"),
}
_CHARACTER_SET: Final = "SpecificCharacterSet"
_TAGS: Final[Mapping[str, int]] = {
    keyword: tag_for_keyword(keyword) or 0
    for keyword in (
        *(*_UIDS, *_IDENTITY, *_TEXTS, *_DETAILS, *_NUMBERS, _CHARACTER_SET),
        *(*_NESTED, *(inner for keywords in _NESTED.values() for inner in keywords)),
    )
}
_NO_ITEMS: Final[Mapping[str, Sequence[str]]] = {
    keyword: () for keywords in _NESTED.values() for keyword in keywords
}
_US_BYTES: Final = 2
_WANTED: Final = frozenset(
    _TAGS[keyword]
    for keyword in (*_UIDS, *_IDENTITY, *_TEXTS, *_DETAILS, *_NUMBERS, _CHARACTER_SET)
)
_LENIENT: Final = frozenset(_TAGS[keyword] for keyword in (*_DETAILS, *_NUMBERS))
_WITHIN: Final = {
    _TAGS[sequence]: frozenset(_TAGS[keyword] for keyword in keywords)
    for sequence, keywords in _NESTED.items()
}
#: DA as it is, and as ACR-NEMA wrote it.
_DATE_FORMATS: Final = ("%Y%m%d", "%Y.%m.%d")


@dataclass(frozen=True)
class Header:
    """Who, which study, which series, which instance.

    Attributes
    ----------
    texts
        Attributes for display by keyword, decoded; an absent one is empty.
    numbers
        Attributes of value representation US by keyword; None for an absent one.
    items
        Attributes in the items of sequences by keyword, item after item.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    issuer: str
    texts: Mapping[str, str]
    numbers: Mapping[str, int | None]
    items: Mapping[str, Sequence[str]]

    def day(self, keyword: str) -> date | None:
        """Return a DA attribute, None where it is absent or no date."""
        for form in _DATE_FORMATS if self.texts[keyword] else ():
            try:
                return datetime.strptime(self.texts[keyword], form).date()  # noqa: DTZ007 - a day
            except ValueError:
                continue
        return None


def read_header(
    data: bytes | mmap, transfer_syntax_uid: str, maximum_bytes: int, start: int = 0
) -> Header:
    """Read the identifying attributes.

    Parameters
    ----------
    data
        The encoded data set, and before it whatever `start` skips.
    maximum_bytes
        What a deflated data set may inflate to.
    start
        Where the data set begins, behind the file meta information of a file.

    Raises
    ------
    InvalidInstance
        If it is no data set, is cut off before its pixels, or a UID is missing or malformed.
    PatientIDMissing
        If Patient ID is absent or empty.
    ObjectTooLarge
        If it inflates beyond `maximum_bytes`.
    """
    encoding = encoding_of(transfer_syntax_uid)
    if encoding.is_deflated:
        data, start = inflate(data, maximum_bytes, start), 0
    walk = Walk(data, encoding, _WANTED, start, _LENIENT, _WITHIN)
    values = walk.run()
    uids = {keyword: _read_uid(values, keyword) for keyword in _UIDS}
    sets = _character_sets(values)
    # Identity is never guessed: bytes outside the character set stay distinguishable.
    identity = {k: decode_text(_value(values, k), sets, "backslashreplace") for k in _IDENTITY}
    if not identity["PatientID"]:
        raise PatientIDMissing
    return Header(
        sop_class_uid=uids["SOPClassUID"],
        sop_instance_uid=uids["SOPInstanceUID"],
        study_instance_uid=uids["StudyInstanceUID"],
        series_instance_uid=uids["SeriesInstanceUID"],
        patient_id=identity["PatientID"],
        issuer=identity["IssuerOfPatientID"],
        texts={k: decode_text(_value(values, k), sets) for k in (*_TEXTS, *_DETAILS)},
        numbers={k: _number(_value(values, k), encoding) for k in _NUMBERS},
        items=_read_items(walk, sets),
    )


def _value(values: Mapping[int, bytes], keyword: str) -> bytes:
    return values.get(_TAGS[keyword], b"")


def _number(value: bytes, encoding: Encoding) -> int | None:
    order: Literal["little", "big"] = "little" if encoding.is_little_endian else "big"
    return int.from_bytes(value, order) if len(value) == _US_BYTES else None


def _read_items(walk: Walk, sets: Sequence[str]) -> Mapping[str, Sequence[str]]:
    if not walk.nested:
        return _NO_ITEMS
    return {
        keyword: [
            decode_text(v, sets) for v in walk.nested.get((_TAGS[sequence], _TAGS[keyword]), ())
        ]
        for sequence, keywords in _NESTED.items()
        for keyword in keywords
    }


def _read_uid(values: Mapping[int, bytes], keyword: str) -> str:
    text = _value(values, keyword).decode("latin-1").rstrip("\0 ")
    if not is_uid(text):
        state = "malformed" if text else "missing"
        raise InvalidInstance(f"{keyword} is {state}")
    return text


def _character_sets(values: Mapping[int, bytes]) -> list[str]:
    return [name.strip() for name in _value(values, _CHARACTER_SET).decode("latin-1").split("\\")]

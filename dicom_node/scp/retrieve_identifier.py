"""The identifier of a retrieval: its level and the unique keys down to it (PS3.4 C.4.2.1.4)."""

from typing import Final

from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.events import Event

from dicom_node.errors import IdentifierRefused, RetrieveInvalid
from dicom_node.scp.encoded_identifier import EncodedIdentifier, decode_identifier
from dicom_node.scp.retrieve_service import PATIENT_ROOT
from dicom_node.scp.size_limit import MAXIMUM_DATA_SET_BYTES
from dicom_node.storage.identifiers import is_uid
from dicom_node.storage.selection import Selection

_KEYS: Final = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
_LEVELS: Final = tuple(_KEYS)
#: UIDs in one identifier: more are no request of a person or a program that means it.
_MOST_UIDS: Final = 65_535
_WILDCARDS: Final = frozenset("*?")


def read_selection(event: Event) -> Selection:
    """Return what a C-GET or C-MOVE asks for.

    Raises
    ------
    RetrieveInvalid
        If its level is none of its model, or a unique key is missing or malformed.
    """
    request, context = event.request, event.context
    assert isinstance(request, C_GET | C_MOVE)  # noqa: S101 - the event's own kind
    is_patient_root = str(context.abstract_syntax) in PATIENT_ROOT
    try:
        identifier = decode_identifier(
            request.Identifier, context.transfer_syntax, MAXIMUM_DATA_SET_BYTES
        )
        return selection_of(identifier, is_patient_root)
    except IdentifierRefused as error:
        raise RetrieveInvalid(str(error)) from error


def selection_of(identifier: EncodedIdentifier, is_patient_root: bool) -> Selection:
    """Return what an identifier selects; attributes that are no unique keys count for nothing."""
    levels = _LEVELS if is_patient_root else _LEVELS[1:]
    level = identifier.level
    if level not in levels:
        raise RetrieveInvalid(f"Query/Retrieve Level must be one of {', '.join(levels)}")
    asked = levels[: levels.index(level) + 1]
    uids = {
        one: _uids(identifier, _KEYS[one], is_list=one == level)
        for one in asked
        if one != "PATIENT"
    }
    return Selection(
        patient_id=_patient_id(identifier) if is_patient_root else "",
        issuer=_text(identifier, "IssuerOfPatientID") or None,
        study_instance_uids=uids.get("STUDY", ()),
        series_instance_uids=uids.get("SERIES", ()),
        sop_instance_uids=uids.get("IMAGE", ()),
    )


def _patient_id(identifier: EncodedIdentifier) -> str:
    text = _text(identifier, "PatientID")
    if not text or _WILDCARDS & set(text):
        raise RetrieveInvalid("PatientID must be one value, without wildcards")
    return text


def _uids(identifier: EncodedIdentifier, keyword: str, *, is_list: bool) -> tuple[str, ...]:
    values = (text.strip("\0 ") for text in identifier.texts(keyword, "UI"))
    uids = tuple(one for one in values if one)
    if not uids or len(uids) > _MOST_UIDS or not all(map(is_uid, uids)):
        raise RetrieveInvalid(f"{keyword} is missing or no UID")
    if len(uids) > 1 and not is_list:
        raise RetrieveInvalid(f"{keyword} must be one UID: the level below it is asked")
    return uids


def _text(identifier: EncodedIdentifier, keyword: str) -> str:
    values = identifier.texts(keyword, "LO")
    if len(values) > 1:
        raise RetrieveInvalid(f"{keyword} must be one value")
    return values[0].strip()

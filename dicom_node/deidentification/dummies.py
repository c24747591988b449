"""Values that say nothing, for attributes an object cannot be without."""

from collections.abc import Mapping
from typing import Any, Final

from pydicom import Dataset

_WORD: Final = "Removed"
_BY_VR: Final[Mapping[str, Any]] = {
    "AE": "REMOVED",
    "AS": "000Y",
    "CS": "REMOVED",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "LO": _WORD,
    "LT": _WORD,
    "PN": _WORD,
    "SH": _WORD,
    "ST": _WORD,
    "TM": "000000",
    "UC": _WORD,
    "UR": "urn:removed",
    "UT": _WORD,
}


def dummy_of(vr: str) -> Any:
    """Return a value of a value representation; binary ones are two zero bytes."""
    return _BY_VR.get(vr, b"\0\0")


def dummy_code() -> Dataset:
    """Return the item of a code sequence that named a person."""
    item = Dataset()
    item.CodeValue = "REMOVED"
    item.CodingSchemeDesignator = "99ARCUATE"
    item.CodeMeaning = _WORD
    return item

"""A match in the DICOM JSON model (PS3.18 annex F)."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

from dicom_node.storage.query.attribute import UNIQUE_KEYS
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.record import Record, Value

_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_NUMBERS: Final = frozenset({"IS", "US"})
#: The path to a resource of each level, of the UIDs from the study down.
_PATHS: Final[Mapping[Level, str]] = {
    Level.STUDY: "/studies/{}",
    Level.SERIES: "/studies/{}/series/{}",
    Level.IMAGE: "/studies/{}/series/{}/instances/{}",
}

Attributes = dict[str, Any]


def record_json(record: Record, level: Level, keywords: Collection[str], root: str) -> Attributes:
    """Return the attributes of a match.

    Parameters
    ----------
    keywords
        What is told, beside what stands in every result.
    root
        URL of the DICOMweb services.
    """
    uids = [record.text(UNIQUE_KEYS[one]) for one in Level if one.depth and level.reaches(one)]
    always: dict[str, tuple[Value, ...]] = {
        "SpecificCharacterSet": ("ISO_IR 192",),
        "InstanceAvailability": ("ONLINE" if record.is_online else "OFFLINE",),
        "RetrieveURL": (root + _PATHS[level].format(*uids),),
    }
    told = {keyword: record.values.get(keyword, ()) for keyword in keywords}
    attributes = [_attribute(keyword, values) for keyword, values in (always | told).items()]
    return dict(sorted(attributes))


def _attribute(keyword: str, values: tuple[Value, ...]) -> tuple[str, Attributes]:
    tag, vr = _element(keyword)
    told = [one for value in values if (one := _value(vr, value)) is not None]
    return tag, {"vr": vr, "Value": told} if told else {"vr": vr}


def _value(vr: str, value: Value) -> Any:
    """Return a value; None for one its representation cannot say."""
    if isinstance(value, Mapping):
        items = [_attribute(name, (text,) if text else ()) for name, text in value.items()]
        return dict(sorted(items))
    if vr == "PN":
        groups = zip(_GROUPS, str(value).split("="), strict=False)
        return {name: group for name, group in groups if group} or None
    return _number(value) if vr in _NUMBERS else value


def _number(value: Value) -> int | None:
    text = str(value).strip()
    digits = text[1:] if text[:1] in {"+", "-"} else text
    return int(text) if digits.isascii() and digits.isdigit() else None


@lru_cache(maxsize=256)
def _element(keyword: str) -> tuple[str, str]:
    tag = tag_for_keyword(keyword) or 0
    return f"{tag:08X}", dictionary_VR(tag)

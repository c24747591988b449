"""The keys of queries, read from what can be looked for."""

from dataclasses import dataclass
from typing import Final

from dicom_node.storage.query.attribute import ATTRIBUTES, UNIQUE_KEYS, Attribute
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.query import NESTED_KEYS, searchable

_TEXT: Final = "single value, wildcard"
_BY_VR: Final = {
    "UI": "single value, list of UIDs",
    "DA": "single value, range",
    "TM": "single value, range",
    "PN": "single value, wildcard; without regard to case",
    "IS": "single value",
    "US": "single value",
}


@dataclass(frozen=True)
class QueryKey:
    """One attribute of a query.

    Attributes
    ----------
    level
        The highest level at which it is looked for and told; it is so at all levels below, too.
    kind
        `U` for the unique key of its level, else `O` (optional).
    matching
        How it is looked for; `told only` where it is not.
    """

    keyword: str
    tag: str
    vr: str
    level: str
    kind: str
    matching: str


def query_keys() -> tuple[QueryKey, ...]:
    """Return every key, from the patient down."""
    return tuple(_key_of(attribute) for attribute in ATTRIBUTES.values())


def _key_of(attribute: Attribute) -> QueryKey:
    return QueryKey(
        attribute.keyword,
        f"({attribute.tag >> 16:04X},{attribute.tag & 0xFFFF:04X})",
        attribute.vr,
        attribute.level,
        "U" if attribute.keyword in UNIQUE_KEYS.values() else "O",
        _matching(attribute),
    )


def _matching(attribute: Attribute) -> str:
    if searchable(attribute.keyword, Level.IMAGE) is None:
        return "told only"
    if attribute.vr == "SQ":
        return f"sequence: {', '.join(NESTED_KEYS[attribute.keyword])}"
    return _BY_VR.get(attribute.vr, _TEXT)

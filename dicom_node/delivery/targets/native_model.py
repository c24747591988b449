"""Reads the Native DICOM Model, XML (PS3.19 A.1), as DICOM JSON: what answers of a store hold."""

from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_ROOT: Final = "NativeDicomModel"
_ATTRIBUTE: Final = "DicomAttribute"
#: An answer about one object has no need of more, and of no entities at all.
_LONGEST_BYTES: Final = 1 << 20
_DECLARES: Final = b"<!"
#: Sequences in a store's answer are one deep.
_DEEPEST: Final = 8


def read_xml(content: bytes) -> dict[str, Any] | None:
    """Return a data set as DICOM JSON, its texts as they stand but for US; None for other XML."""
    if len(content) > _LONGEST_BYTES or _DECLARES in content:
        return None
    try:
        # No declaration, so nothing that expands.
        root = ElementTree.fromstring(content)  # noqa: S314
    except ElementTree.ParseError:
        return None
    return _data_set(root) if _name(root) == _ROOT else None


def _data_set(element: Element, depth: int = 0) -> dict[str, Any]:
    if depth > _DEEPEST:
        return {}
    attributes = [child for child in element if _name(child) == _ATTRIBUTE]
    return {
        child.get("tag", "").upper(): {"vr": child.get("vr", ""), "Value": _values(child, depth)}
        for child in attributes
    }


def _values(attribute: Element, depth: int) -> list[Any]:
    if attribute.get("vr") == "SQ":
        return [_data_set(child, depth + 1) for child in attribute if _name(child) == "Item"]
    texts = [(child.text or "").strip() for child in attribute if _name(child) == "Value"]
    is_number = attribute.get("vr") == "US"
    return [_number(text) if is_number else text for text in texts]


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else text


def _name(element: Element) -> str:
    """Return the name without its namespace."""
    return element.tag.rpartition("}")[2]

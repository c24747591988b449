"""Attributes in the DICOM JSON Model (PS3.18 annex F): all but bulk values, which are linked.

A value that cannot be understood comes as its bytes, so that one bad element hides no other.
"""

import math
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from dicom_node.devices.attributes import READING_ERRORS, silenced_reader
from dicom_node.storage.kept_object import KeptObject

#: Longer binary values are linked.
LARGEST_INLINE_BYTES: Final = 1024
ENCAPSULATED_DOCUMENT: Final = 0x00420011
_CHARACTER_SET: Final = 0x00080005
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
#: Group lengths are no attributes of the model.
_GROUP_LENGTH: Final = 0x0000
_PIXEL_VR: Final = {0x7FE00008: "OF", 0x7FE00009: "OD"}

Attributes = dict[str, Any]


def json_of(kept: KeptObject, url: str) -> Attributes:
    """Return the attributes of an object.

    Parameters
    ----------
    url
        Where the instance is found: bulk values are below it.
    """
    with silenced_reader():
        found = dict(_top_level(kept, f"{url}/bulkdata"))
    if kept.pixels_tag:
        vr = _PIXEL_VR.get(kept.pixels_tag, "OW")
        name = f"{kept.pixels_tag:08X}"
        found[name] = {"vr": vr, "BulkDataURI": f"{url}/bulkdata/{name}"}
    # All text is UTF-8 here, whatever it was.
    found[_name(BaseTag(_CHARACTER_SET))] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return dict(sorted(found.items()))


def _top_level(kept: KeptObject, url: str) -> Iterator[tuple[str, Attributes]]:
    for tag in sorted(kept.header.keys()):
        if int(tag) in kept.spans:
            yield _name(tag), _link(kept.header, tag, url)
        elif tag.element != _GROUP_LENGTH:
            yield _name(tag), _element(kept.header, tag, url)


def _items(dataset: Dataset, url: str) -> Iterator[tuple[str, Attributes]]:
    for tag in sorted(dataset.keys()):
        if tag.element != _GROUP_LENGTH and int(tag) != _CHARACTER_SET:
            yield _name(tag), _element(dataset, tag, url)


def _element(dataset: Dataset, tag: BaseTag, url: str) -> Attributes:
    raw = dataset.get_item(tag)
    try:
        return _described(dataset[tag], f"{url}/{_name(tag)}")
    except READING_ERRORS:
        value = raw.value if isinstance(raw, RawDataElement) else None
        content = value if isinstance(value, bytes) else b""
        return {"vr": "UN", "InlineBinary": b64encode(content).decode("ascii")}


def _described(element: DataElement, url: str) -> Attributes:
    if element.VR == "SQ":
        items = [
            dict(_items(item, f"{url}/{number}")) for number, item in enumerate(element.value, 1)
        ]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    if element.VR in _BINARY or isinstance(element.value, bytes):
        return _binary(element, url)
    described: Mapping[str, Any] = element.to_json_dict(None, LARGEST_INLINE_BYTES)
    return _finite(described)


def _binary(element: DataElement, url: str) -> Attributes:
    content = element.value if isinstance(element.value, bytes) else b""
    vr = element.VR if element.VR in _BINARY else "UN"
    if not content:
        return {"vr": vr}
    if len(content) > LARGEST_INLINE_BYTES or element.tag == ENCAPSULATED_DOCUMENT:
        return {"vr": vr, "BulkDataURI": url}
    return {"vr": vr, "InlineBinary": b64encode(content).decode("ascii")}


def _finite(described: Mapping[str, Any]) -> Attributes:
    values = described.get("Value")
    if not values:
        return dict(described)
    # JSON has no word for what is not a number: the value is empty.
    return {
        **described,
        "Value": [
            None if isinstance(value, float) and not math.isfinite(value) else value
            for value in values
        ],
    }


def _link(header: Dataset, tag: BaseTag, url: str) -> Attributes:
    raw = header.get_item(tag)
    vr = raw.VR if raw is not None and raw.VR in _BINARY else "OB"
    return {"vr": vr, "BulkDataURI": f"{url}/{_name(tag)}"}


def _name(tag: BaseTag) -> str:
    return f"{int(tag):08X}"

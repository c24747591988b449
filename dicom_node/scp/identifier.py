"""The identifier of a C-FIND request, read leniently: what a query asks for, and what it is not."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID
from pynetdicom.dsutils import decode

from dicom_node.devices.attributes import READING_ERRORS, items_of, silenced_reader
from dicom_node.errors import (
    IdentifierMismatch,
    IdentifierUnreadable,
    MatchingKeyInvalid,
)
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.match import Item, Match
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.query import NESTED_KEYS, searchable, tellable
from dicom_node.storage.text import decode_text

#: What says how to understand the identifier, and what stands in every answer anyway.
_ABOUT_THE_QUERY: Final = frozenset(
    {
        "SpecificCharacterSet",
        "QueryRetrieveLevel",
        "RetrieveAETitle",
        "InstanceAvailability",
        "TimezoneOffsetFromUTC",
    }
)
#: Value representations whose text depends on the character set.
_IN_CHARACTER_SET: Final = frozenset({"PN", "LO", "SH", "LT", "ST", "UC", "UT"})
_ESCAPE: Final = 0x1B
_FIRST_PRINTABLE: Final = 0x20


@dataclass(frozen=True)
class Identifier:
    """What a request asks for.

    Attributes
    ----------
    matches
        By keyword; keys that anything matches are left out.
    asked
        Tags of what each answer tells, beside what stands in every one.
    character_sets
        Specific Character Set (0008,0005) of the request.
    has_unsupported
        Whether it asks for something that we never know.
    """

    level: Level
    matches: Mapping[str, Match]
    asked: tuple[int, ...]
    character_sets: tuple[str, ...]
    has_unsupported: bool

    @property
    def keywords(self) -> frozenset[str]:
        """What each answer tells, by keyword."""
        return frozenset(keyword_for_tag(tag) for tag in self.asked)


def read_identifier(
    encoded: bytes | None, transfer_syntax: UID, levels: tuple[Level, ...]
) -> Identifier:
    """Read an identifier.

    Parameters
    ----------
    levels
        Those of the information model.

    Raises
    ------
    IdentifierUnreadable
        If it is no data set.
    IdentifierMismatch
        If its level is missing, or none of the model's.
    MatchingKeyInvalid
        If a key has a value its attribute cannot have.
    """
    dataset = _decode(encoded, transfer_syntax)
    level = _read_level(dataset, levels)
    character_sets = tuple(_plain(dataset, "SpecificCharacterSet").split("\\"))
    matches: dict[str, Match] = {}
    asked, has_unsupported = [], False
    for tag in sorted(dataset.keys()):
        keyword = keyword_for_tag(tag)
        if keyword in _ABOUT_THE_QUERY or tag.element == 0:
            continue
        has_unsupported |= not tellable(keyword, level)
        if keyword and not tag.is_private:
            asked.append(int(tag))
            match = _read_key(dataset, tag, keyword, level, character_sets)
            matches.update({} if match is None else {keyword: match})
    return Identifier(level, matches, tuple(asked), character_sets, has_unsupported)


def _decode(encoded: bytes | None, transfer_syntax: UID) -> Dataset:
    if encoded is None:
        raise IdentifierUnreadable
    syntax = (transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian)
    try:
        with silenced_reader():
            return decode(BytesIO(encoded), *syntax)
    except READING_ERRORS as error:
        raise IdentifierUnreadable from error


def _read_level(dataset: Dataset, levels: tuple[Level, ...]) -> Level:
    text = _plain(dataset, "QueryRetrieveLevel")
    for level in levels:
        if text == level:
            return level
    raise IdentifierMismatch


def _plain(dataset: Dataset, keyword: str) -> str:
    element = dataset.get_item(Tag(keyword), keep_deferred=True)
    raw = _bytes_of(element)
    return "" if raw is None else raw.decode("latin-1").strip("\0 ")


def _read_key(
    dataset: Dataset, tag: BaseTag, keyword: str, level: Level, sets: tuple[str, ...]
) -> Match | None:
    attribute = searchable(keyword, level)
    if attribute is None:
        return None
    if attribute.vr == "SQ":
        return _read_item(dataset, keyword, sets)
    element = dataset.get_item(tag, keep_deferred=True)
    return parse_key(keyword, attribute.vr, _values(element, keyword, attribute.vr, sets))


def _read_item(dataset: Dataset, keyword: str, sets: tuple[str, ...]) -> Match | None:
    """Return what the one item of a sequence asks for; every other key in it is ignored."""
    with silenced_reader():
        items = items_of(dataset, keyword)
    if len(items) > 1:
        raise MatchingKeyInvalid(keyword, "has more than one item")
    keys = dict(_nested(items[0], keyword, sets)) if items else {}
    return Item(keys) if keys else None


def _nested(item: Dataset, keyword: str, sets: tuple[str, ...]) -> Iterator[tuple[str, Match]]:
    for name in NESTED_KEYS[keyword]:
        element = item.get_item(Tag(name), keep_deferred=True)
        match = parse_key(name, "SH", _values(element, name, "SH", sets)) if element else None
        if match is not None:
            yield name, match


def _values(
    element: DataElement | RawDataElement | None, keyword: str, vr: str, sets: tuple[str, ...]
) -> list[str]:
    raw = _bytes_of(element)
    if raw is None:
        raise MatchingKeyInvalid(keyword, "is no value")
    if vr == "US":
        return [] if len(raw) != 2 else [str(int.from_bytes(raw, "little"))]
    raw = raw.rstrip(b"\0 ")
    if any(byte < _FIRST_PRINTABLE and byte != _ESCAPE for byte in raw):
        raise MatchingKeyInvalid(keyword, "holds control characters")
    text = _decode_text(raw, sets) if vr in _IN_CHARACTER_SET else raw.decode("latin-1")
    return text.split("\\")


def _decode_text(raw: bytes, sets: tuple[str, ...]) -> str:
    if not any(sets):
        # Beyond ASCII a set must be declared; what is UTF-8 all the same is hardly anything else.
        with suppress(UnicodeDecodeError):
            return raw.decode("utf-8")
    return decode_text(raw, sets)


def _bytes_of(element: DataElement | RawDataElement | None) -> bytes | None:
    if isinstance(element, RawDataElement):
        return element.value or b""
    return b"" if element is None else None

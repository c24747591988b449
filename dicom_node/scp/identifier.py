"""The identifier of a C-FIND request, read leniently: what a query asks for, and what it is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID

from dicom_node.errors import IdentifierMismatch
from dicom_node.receive.find_receiver import MAXIMUM_IDENTIFIER_BYTES
from dicom_node.scp.encoded_identifier import EncodedIdentifier, decode_identifier
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.match import Item, Match
from dicom_node.storage.query.parsing import parse_key
from dicom_node.storage.query.query import NESTED_KEYS, searchable, tellable

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
    IdentifierTooLarge, IdentifierUnreadable
        If it is longer than `MAXIMUM_IDENTIFIER_BYTES`, or no data set.
    IdentifierMismatch
        If its level is missing, or none of the model's.
    MatchingKeyInvalid
        If a key has a value its attribute cannot have.
    """
    content = None if encoded is None else BytesIO(encoded)
    encoded_keys = decode_identifier(content, transfer_syntax, MAXIMUM_IDENTIFIER_BYTES)
    level = _read_level(encoded_keys.level, levels)
    matches: dict[str, Match] = {}
    asked, has_unsupported = [], False
    for tag in encoded_keys.tags():
        keyword = keyword_for_tag(tag)
        if keyword in _ABOUT_THE_QUERY:
            continue
        has_unsupported |= not tellable(keyword, level)
        if keyword and not tag.is_private:
            asked.append(int(tag))
            match = _read_key(encoded_keys, keyword, level)
            matches.update({} if match is None else {keyword: match})
    return Identifier(level, matches, tuple(asked), encoded_keys.character_sets, has_unsupported)


def _read_level(text: str, levels: tuple[Level, ...]) -> Level:
    for level in levels:
        if text == level:
            return level
    raise IdentifierMismatch


def _read_key(identifier: EncodedIdentifier, keyword: str, level: Level) -> Match | None:
    attribute = searchable(keyword, level)
    if attribute is None:
        return None
    if attribute.vr == "SQ":
        return _read_item(identifier, keyword)
    return parse_key(keyword, attribute.vr, identifier.texts(keyword, attribute.vr))


def _read_item(identifier: EncodedIdentifier, keyword: str) -> Match | None:
    """Return what the one item of a sequence asks for; every other key in it is ignored."""
    item = identifier.item(keyword)
    keys = {} if item is None else dict(_nested(item, keyword))
    return Item(keys) if keys else None


def _nested(item: EncodedIdentifier, keyword: str) -> Iterator[tuple[str, Match]]:
    for name in NESTED_KEYS[keyword]:
        match = parse_key(name, "SH", item.texts(name, "SH")) if item.holds(name) else None
        if match is not None:
            yield name, match

"""The identifier of a query or a retrieval as it came: its keys, read one by one.

No key is turned into a value by its own value representation: peers write what they like, and one
key that cannot be read says nothing of the others.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID
from pynetdicom.dsutils import decode

from dicom_node.devices.attributes import READING_ERRORS, items_of, silenced_reader
from dicom_node.errors import (
    IdentifierTooLarge,
    IdentifierUnreadable,
    MatchingKeyInvalid,
)
from dicom_node.scp.size_limit import DroppedDataSet
from dicom_node.storage.text import decode_text

#: Value representations whose text depends on the character set.
_IN_CHARACTER_SET: Final = frozenset({"PN", "LO", "SH", "LT", "ST", "UC", "UT"})
_ESCAPE: Final = 0x1B
_FIRST_PRINTABLE: Final = 0x20


@dataclass(frozen=True)
class EncodedIdentifier:
    """The keys of a request.

    Attributes
    ----------
    character_sets
        Specific Character Set (0008,0005); one empty text where it is not stated.
    """

    dataset: Dataset
    character_sets: tuple[str, ...]

    @property
    def level(self) -> str:
        """Query/Retrieve Level (0008,0052) as it stands; empty where it is missing."""
        return _plain(self.dataset, "QueryRetrieveLevel")

    def tags(self) -> Iterator[BaseTag]:
        """Yield the tags of the keys in ascending order, lengths of groups left out."""
        return (tag for tag in sorted(self.dataset.keys()) if tag.element)

    def holds(self, keyword: str) -> bool:
        """Whether there is a key of that name, with a value or without."""
        return keyword in self.dataset

    def texts(self, keyword: str, vr: str) -> list[str]:
        """Return the values of a key; one empty text where it has none.

        Parameters
        ----------
        vr
            The value representation its attribute has, whatever the peer says.

        Raises
        ------
        MatchingKeyInvalid
            If it holds a sequence or control characters.
        """
        raw = _bytes_of(self.dataset.get_item(Tag(keyword), keep_deferred=True))
        if raw is None:
            raise MatchingKeyInvalid(keyword, "is no value")
        if vr == "US":
            return [] if len(raw) != 2 else [str(int.from_bytes(raw, "little"))]
        raw = raw.rstrip(b"\0 ")
        if any(byte < _FIRST_PRINTABLE and byte != _ESCAPE for byte in raw):
            raise MatchingKeyInvalid(keyword, "holds control characters")
        return self._text(raw, vr).split("\\")

    def item(self, keyword: str) -> "EncodedIdentifier | None":
        """Return the one item of a sequence; None where it has none.

        Raises
        ------
        MatchingKeyInvalid
            If it has several.
        """
        with silenced_reader():
            items = items_of(self.dataset, keyword)
        if len(items) > 1:
            raise MatchingKeyInvalid(keyword, "has more than one item")
        return EncodedIdentifier(items[0], self.character_sets) if items else None

    def _text(self, raw: bytes, vr: str) -> str:
        if vr not in _IN_CHARACTER_SET:
            return raw.decode("latin-1")
        if not any(self.character_sets):
            # Beyond ASCII a set must be declared; what is UTF-8 all the same is hardly anything
            # else.
            with suppress(UnicodeDecodeError):
                return raw.decode("utf-8")
        return decode_text(raw, self.character_sets)


def decode_identifier(
    encoded: BytesIO | None, transfer_syntax: UID, maximum_bytes: int
) -> EncodedIdentifier:
    """Take an identifier apart.

    Raises
    ------
    IdentifierTooLarge, IdentifierUnreadable
        If it is longer than `maximum_bytes`, or no data set.
    """
    if isinstance(encoded, DroppedDataSet):
        raise IdentifierTooLarge
    if encoded is None:
        raise IdentifierUnreadable
    if encoded.getbuffer().nbytes > maximum_bytes:
        raise IdentifierTooLarge
    try:
        with silenced_reader():
            dataset = decode(
                encoded, transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian
            )
    except READING_ERRORS as error:
        raise IdentifierUnreadable from error
    return EncodedIdentifier(dataset, tuple(_plain(dataset, "SpecificCharacterSet").split("\\")))


def _plain(dataset: Dataset, keyword: str) -> str:
    raw = _bytes_of(dataset.get_item(Tag(keyword), keep_deferred=True))
    return "" if raw is None else raw.decode("latin-1").strip("\0 ")


def _bytes_of(element: DataElement | RawDataElement | None) -> bytes | None:
    if isinstance(element, RawDataElement):
        return element.value or b""
    return b"" if element is None else None

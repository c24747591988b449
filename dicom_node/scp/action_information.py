"""Reads the Action Information of a storage commitment request (PS3.4 table J.3-1).

A parser of its own: it needs two UIDs of each item, and what a peer sends must neither crash it nor
cost more than its own length. Values of any other element are skipped.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dicom_node.errors import (
    ActionAttributeMissing,
    ActionInvalid,
    ActionTooLarge,
    ActionValueMissing,
)
from dicom_node.storage.commitments import InstanceReference
from dicom_node.storage.encoding import Encoding
from dicom_node.storage.identifiers import is_uid

#: Instances one request may name. A study of an eye clinic has a few dozen.
MAXIMUM_INSTANCES: Final = 5000
#: More than that many instances take, with two UIDs of 64 characters each.
MAXIMUM_BYTES: Final = 2 << 20

TRANSACTION_UID: Final = 0x00081195
REFERENCED_SOP_SEQUENCE: Final = 0x00081199
_REFERENCED_SOP_CLASS_UID: Final = 0x00081150
REFERENCED_SOP_INSTANCE_UID: Final = 0x00081155
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
#: Sequences within the items, which only private additions have.
_MAXIMUM_DEPTH: Final = 8
#: Value representations with a four-byte length (PS3.5 table 7.1-1).
_LONG_LENGTH: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())

#: Where the values of a data set begin and end, by tag.
Elements = dict[int, tuple[int, int]]


def read_action_information(
    data: bytes, encoding: Encoding
) -> tuple[str, tuple[InstanceReference, ...]]:
    """Return the Transaction UID and the instances of a request, each once.

    Raises
    ------
    ActionAttributeMissing, ActionValueMissing
        If the Transaction UID, the sequence or a UID of an item is missing or empty.
    ActionInvalid
        If it is no data set, or a UID is malformed.
    ActionTooLarge
        If it names more instances than `MAXIMUM_INSTANCES`.
    """
    if len(data) > MAXIMUM_BYTES:
        raise ActionTooLarge
    reader = ReferenceReader(data, encoding)
    elements = reader.elements(0, len(data))
    transaction_uid = reader.uid(elements, TRANSACTION_UID)
    if REFERENCED_SOP_SEQUENCE not in elements:
        raise ActionAttributeMissing
    instances = dict.fromkeys(reader.references(*elements[REFERENCED_SOP_SEQUENCE]))
    if not instances:
        raise ActionValueMissing
    return transaction_uid, tuple(instances)


@dataclass(frozen=True)
class ReferenceReader:
    """Reads the elements of a data set, and what its sequences name."""

    data: bytes
    encoding: Encoding

    def references(self, start: int, end: int) -> Iterator[InstanceReference]:
        """Yield what the items of a sequence name."""
        for number, (item_start, item_end) in enumerate(self.items(start, end)):
            if number == MAXIMUM_INSTANCES:
                raise ActionTooLarge
            elements = self.elements(item_start, item_end)
            yield InstanceReference(
                self.uid(elements, _REFERENCED_SOP_CLASS_UID),
                self.uid(elements, REFERENCED_SOP_INSTANCE_UID),
            )

    def uid(self, elements: Elements, tag: int) -> str:
        """Return the UID that stands under a tag."""
        if tag not in elements:
            raise ActionAttributeMissing
        start, end = elements[tag]
        text = self.data[start:end].decode("latin-1").rstrip("\0 ")
        if not text:
            raise ActionValueMissing
        if not is_uid(text):
            raise ActionInvalid("A UID of the action information is malformed")
        return text

    def unsigned_short(self, elements: Elements, tag: int, default: int) -> int:
        """Return the number (US) under a tag, and a default where there is none."""
        start, end = elements.get(tag, (0, 0))
        return self._number("H", start, end) if end - start == 2 else default

    def elements(self, start: int, end: int) -> Elements:
        """Return where the values of a data set or item stand."""
        found: Elements = {}
        position = start
        while position < end:
            tag, value, value_end, position = self._element(position, end, 0)
            # Readers differ in which of two they believe: a promise must not depend on it.
            if tag in found:
                raise ActionInvalid
            found[tag] = (value, value_end)
        return found

    def items(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield where the items of a sequence begin and end."""
        position = start
        while position < end:
            tag, value, value_end, position = self._structure(position, end, 0)
            if tag != _ITEM:
                raise ActionInvalid
            yield value, value_end

    def _element(self, position: int, end: int, depth: int) -> tuple[int, int, int, int]:
        """Return tag, start and end of the value, and where the next element begins."""
        tag = self._tag(position, end)
        if tag >> 16 == 0xFFFE:
            raise ActionInvalid
        is_sequence, value, length = self._header(position + 4, end)
        if length != _UNDEFINED:
            return tag, value, *self._bounded(value, length, end)
        if not is_sequence:
            raise ActionInvalid
        return tag, value, *self._delimited(value, end, _SEQUENCE_END, depth)

    def _structure(self, position: int, end: int, depth: int) -> tuple[int, int, int, int]:
        """Return the same of an item or a delimiter."""
        tag = self._tag(position, end)
        length, value = self._number("I", position + 4, end), position + 8
        if length != _UNDEFINED:
            return tag, value, *self._bounded(value, length, end)
        return tag, value, *self._delimited(value, end, _ITEM_END, depth)

    def _delimited(self, start: int, end: int, delimiter: int, depth: int) -> tuple[int, int]:
        """Return where a value of undefined length ends, and what follows its delimiter begins."""
        if depth > 2 * _MAXIMUM_DEPTH:
            raise ActionInvalid
        step = self._structure if delimiter == _SEQUENCE_END else self._element
        position = start
        while self._tag(position, end) != delimiter:
            position = step(position, end, depth + 1)[3]
        if self._number("I", position + 4, end) != 0:
            raise ActionInvalid
        return position, position + 8

    def _header(self, position: int, end: int) -> tuple[bool, int, int]:
        """Return whether it may be a sequence, where the value begins, and its length."""
        if self.encoding.is_implicit_vr:
            return True, position + 4, self._number("I", position, end)
        representation = self.data[position : position + 2]
        if not (representation.isalpha() and representation.isupper()):
            raise ActionInvalid
        if representation in _LONG_LENGTH:
            length = self._number("I", position + 4, end)
            return representation == b"SQ", position + 8, length
        return False, position + 4, self._number("H", position + 2, end)

    def _bounded(self, value: int, length: int, end: int) -> tuple[int, int]:
        if value + length > end:
            raise ActionInvalid("The action information is cut off")
        return value + length, value + length

    def _tag(self, position: int, end: int) -> int:
        return self._number("H", position, end) << 16 | self._number("H", position + 2, end)

    def _number(self, form: str, position: int, end: int) -> int:
        size = struct.calcsize(form)
        if position + size > end:
            raise ActionInvalid("The action information is cut off")
        order = "<" if self.encoding.is_little_endian else ">"
        (number,) = struct.unpack_from(order + form, self.data, position)
        return int(number)

"""A walk over the elements of an encoded data set, up to its pixels, that nothing can crash.

It keeps its own stack, so a thousand nested sequences cost no recursion; it looks at every length
before it moves, so a cut-off data set is found; and it decodes no value.
"""

import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from mmap import mmap
from typing import Final

from dicom_node.errors import InvalidInstance
from dicom_node.storage.encoding import Encoding

#: Sequences within sequences. The standard's own objects stay below ten.
MAXIMUM_DEPTH: Final = 64
#: Elements before the pixels, all levels together: bounds the time a hostile object costs.
MAXIMUM_ELEMENTS: Final = 500_000

#: Longest value of a wanted element: a person name of three groups in any script is below it.
MAXIMUM_VALUE_BYTES: Final = 1024
_CHUNK_BYTES: Final = 1 << 16
#: Items of a sequence whose values are collected; the standard's own have one or a few.
_MAXIMUM_ITEMS: Final = 16
_NOTHING: Final[frozenset[int]] = frozenset()

_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
#: Extended offset table, float, double and integer Pixel Data: what lies behind is not looked at.
_FIRST_PIXELS: Final = 0x7FE00001
#: Value representations with a two-byte length (PS3.5 table 7.1-2); all others have four.
_SHORT_LENGTH: Final = frozenset(
    b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split()
)
#: Tag, value representation and length where the length has two bytes.
_PLAIN_HEADER: Final = struct.Struct("<HH2sH")
#: Pixels, items and delimiters are in this group or behind it.
_FIRST_UNPLAIN_GROUP: Final = 0x7FE0


@dataclass
class _Level:
    """A sequence or an item that is open: where it ends, None where a delimiter ends it."""

    is_sequence: bool
    end: int | None
    is_implicit_vr: bool
    #: Undefined-length values other than sequences hold fragments: items without elements.
    holds_fragments: bool = False


@dataclass
class Walk:
    """One pass over one data set.

    Attributes
    ----------
    wanted
        Tags whose top-level values are collected.
    start
        Where in `data` the first element stands.
    lenient
        Tags of those whose value never refuses an object: one that is too long is left out, of two
        the first counts.
    within
        Tags of sequences at the top level, and which values of their items are collected.
    values
        Encoded value of each wanted tag that was there.
    nested
        Encoded values in the items of such a sequence, by its tag and their own, item after item.
    """

    data: bytes | mmap
    encoding: Encoding
    wanted: Collection[int]
    start: int = 0
    lenient: Collection[int] = _NOTHING
    within: Mapping[int, Collection[int]] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)
    nested: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)
    #: The sequence at the top level that is open.
    _sequence: int = 0
    _levels: list[_Level] = field(default_factory=list)
    _elements: int = 0

    def run(self) -> dict[int, bytes]:
        """Return the wanted values.

        Raises
        ------
        InvalidInstance
            If an element reaches beyond the end, sequences are nested too deeply, or what stands
            there is no data set.
        """
        position = self.start
        while self._elements < MAXIMUM_ELEMENTS:
            position = self._pass_plain(position)
            self._close_ended(position)
            if self._is_finished(position):
                return self.values
            position = self._step(position)
            if position < 0:
                return self.values
            self._elements += 1
        raise InvalidInstance("The data set has too many elements")

    def _pass_plain(self, position: int) -> int:
        """Move over elements that need no further look; return where the first other one stands.

        Most elements are short values of explicit VR, little endian: walked like all others they
        would be most of what an object costs.
        """
        level = self._levels[-1] if self._levels else None
        if not self._is_plain(level):
            return position
        data, end = self.data, len(self.data) if level is None or level.end is None else level.end
        wanted = self._wanted_here
        while position + 8 <= end and self._elements < MAXIMUM_ELEMENTS:
            group, element, vr, length = _PLAIN_HEADER.unpack_from(data, position)
            following = position + 8 + length
            if vr not in _SHORT_LENGTH or following > end or group >= _FIRST_UNPLAIN_GROUP:
                break
            if wanted and (tag := group << 16 | element) in wanted:
                self._collect(tag, position + 8, length)
            position = following
            self._elements += 1
        return position

    def _is_plain(self, level: _Level | None) -> bool:
        if level is None:
            return self.encoding.is_little_endian and not self.encoding.is_implicit_vr
        return self.encoding.is_little_endian and not (level.is_sequence or level.is_implicit_vr)

    def _close_ended(self, position: int) -> None:
        while self._levels and self._levels[-1].end is not None:
            end = self._levels[-1].end
            if position < end:
                return
            if position > end:
                raise InvalidInstance("An element reaches beyond its sequence")
            self._levels.pop()

    def _is_finished(self, position: int) -> bool:
        if position == len(self.data):
            if self._levels:
                raise InvalidInstance("The data set is cut off in a sequence")
            return True
        if self._levels or any(self.data[position : position + 8]):
            return False
        # Padding behind the last element does not make an object unreadable.
        return position >= self._padding_start

    @cached_property
    def _padding_start(self) -> int:
        """Where nothing but zeros follows: looked for once, for there may be zeros all the way."""
        end = len(self.data)
        while end > self.start:
            begin = max(self.start, end - _CHUNK_BYTES)
            content = self.data[begin:end].rstrip(b"\0")
            if content:
                return begin + len(content)
            end = begin
        return end

    def _step(self, position: int) -> int:
        """Read one element header; return where the next one begins, -1 at the pixels."""
        order = "<" if self.encoding.is_little_endian else ">"
        group, element = struct.unpack(order + "HH", self._take(position, 4))
        tag = group << 16 | element
        if group == 0xFFFE:
            (length,) = struct.unpack(order + "I", self._take(position + 4, 4))
            return self._step_structure(tag, position + 8, length)
        if not self._levels and tag >= _FIRST_PIXELS and group == 0x7FE0:
            return -1
        if self._levels and self._levels[-1].is_sequence:
            raise InvalidInstance("A sequence holds something that is no item")
        return self._step_element(tag, position, order)

    def _step_structure(self, tag: int, position: int, length: int) -> int:
        if not self._levels:
            raise InvalidInstance("An item stands outside every sequence")
        level = self._levels[-1]
        if tag == _ITEM and level.is_sequence:
            return self._open_item(level, position, length)
        if tag == (_SEQUENCE_END if level.is_sequence else _ITEM_END) and level.end is None:
            self._levels.pop()
            return position
        raise InvalidInstance("Items and delimiters stand in a wrong order")

    def _open_item(self, sequence: _Level, position: int, length: int) -> int:
        if sequence.holds_fragments and length != _UNDEFINED:
            return self._skip(position, length)
        self._open(_Level(False, self._end(position, length), sequence.is_implicit_vr))
        return position

    def _step_element(self, tag: int, position: int, order: str) -> int:
        level = self._levels[-1] if self._levels else None
        is_implicit = level.is_implicit_vr if level else self.encoding.is_implicit_vr
        vr, position, length = self._read_header(position, order, is_implicit)
        if length != _UNDEFINED and vr != b"SQ":
            if tag in self._wanted_here:
                self._collect(tag, position, length)
            return self._skip(position, length)
        if level is None:
            self._sequence = tag
        # UN of undefined length holds implicit VR, whatever surrounds it (PS3.5 6.2.2).
        inside_implicit = is_implicit or vr == b"UN"
        holds_fragments = vr not in {b"SQ", b"UN", b""}
        self._open(_Level(True, self._end(position, length), inside_implicit, holds_fragments))
        return position

    @property
    def _wanted_here(self) -> Collection[int]:
        match len(self._levels):
            case 0:
                return self.wanted
            case 2:
                return self.within.get(self._sequence, _NOTHING)
        return _NOTHING

    def _collect(self, tag: int, position: int, length: int) -> None:
        if self._levels or tag in self.lenient:
            self._collect_leniently(tag, position, length)
            return
        if length > MAXIMUM_VALUE_BYTES:
            raise InvalidInstance("An identifying attribute is longer than any may be")
        value = self._take(position, length)
        # Readers differ in which of two they believe: that must never decide whose eye it is.
        if self.values.setdefault(tag, value) != value:
            raise InvalidInstance("An identifying attribute stands there twice, with two values")

    def _collect_leniently(self, tag: int, position: int, length: int) -> None:
        value = self._take(position, length)
        if length > MAXIMUM_VALUE_BYTES:
            return
        if not self._levels:
            self.values.setdefault(tag, value)
            return
        found = self.nested.setdefault((self._sequence, tag), [])
        if len(found) < _MAXIMUM_ITEMS:
            found.append(value)

    def _read_header(self, position: int, order: str, is_implicit: bool) -> tuple[bytes, int, int]:
        if is_implicit:
            (length,) = struct.unpack(order + "I", self._take(position + 4, 4))
            return b"", position + 8, length
        vr = self._take(position + 4, 2)
        if not (vr.isalpha() and vr.isupper()):
            raise InvalidInstance("An element has no value representation")
        if vr in _SHORT_LENGTH:
            (length,) = struct.unpack(order + "H", self._take(position + 6, 2))
            return vr, position + 8, length
        (length,) = struct.unpack(order + "I", self._take(position + 8, 4))
        return vr, position + 12, length

    def _open(self, level: _Level) -> None:
        if len(self._levels) >= 2 * MAXIMUM_DEPTH:
            raise InvalidInstance(f"Sequences are nested deeper than {MAXIMUM_DEPTH}")
        self._levels.append(level)

    def _end(self, position: int, length: int) -> int | None:
        return None if length == _UNDEFINED else self._skip(position, length)

    def _skip(self, position: int, length: int) -> int:
        if position + length > len(self.data):
            raise InvalidInstance("The data set is cut off")
        return position + length

    def _take(self, position: int, length: int) -> bytes:
        self._skip(position, length)
        return self.data[position : position + length]

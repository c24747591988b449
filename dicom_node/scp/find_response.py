"""The answers to a C-FIND request, encoded: a command that is always the same, and an identifier.

An encoder of its own, because pydicom's takes longer for each answer than the database does.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydicom.charset import custom_encoders, python_encoding
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from dicom_node.scp.identifier import Identifier
from dicom_node.storage.encoding import Encoding
from dicom_node.storage.query.attribute import UNIQUE_KEYS
from dicom_node.storage.query.record import Record, Value

_UTF_8: Final = "ISO_IR 192"
#: Python's codec of ISO_IR 13 writes kanji, too, which that set lacks: some with a backslash.
_WITH_KANJI: Final = "shift_jis"
_DEFAULT_REPERTOIRE: Final = ("", "ISO_IR 6")
_CHARACTER_SET: Final = 0x00080005
_LEVEL: Final = 0x00080052
_RETRIEVE_AE_TITLE: Final = 0x00080054
_AVAILABILITY: Final = 0x00080056
_ITEM: Final = 0xFFFEE000
#: Of those an answer may hold the ones with a four-byte length (PS3.5 table 7.1-1).
_LONG_LENGTH: Final = frozenset({"OB", "OW", "SQ", "UC", "UN", "UR", "UT"})
_SHORT_LENGTH: Final = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT"}
    | {"PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"}
)
_KNOWN: Final = _LONG_LENGTH | _SHORT_LENGTH
_PADDED_WITH_NUL: Final = frozenset({"UI", "OB", "UN"})


@dataclass(frozen=True)
class Answering:
    """How the answers to one request are written."""

    identifier: Identifier
    encoding: Encoding
    retrieve_ae_title: str

    def encode(self, record: Record) -> bytes:
        """Return the identifier that tells of a match."""
        values = self._values(record)
        for name in (*self._own_character_set(), _UTF_8):
            try:
                return self._encode_all(values, name)
            except UnicodeEncodeError:
                continue
        raise AssertionError("UTF-8 takes every text")

    def _own_character_set(self) -> Sequence[str]:
        names = [name.strip() for name in self.identifier.character_sets]
        # One that needs no escape sequences, so that any codec of Python writes it.
        is_known = len(names) == 1 and names[0] in python_encoding
        # The default repertoire is ASCII, which UTF-8 writes as well.
        return names if is_known and names[0] not in _DEFAULT_REPERTOIRE else []

    def _values(self, record: Record) -> dict[int, tuple[Value, ...]]:
        level = self.identifier.level
        values: dict[int, tuple[Value, ...]] = {
            tag: record.values.get(keyword_for_tag(tag), ()) for tag in self.identifier.asked
        }
        unique = UNIQUE_KEYS[level]
        values[tag_for_keyword(unique) or 0] = record.values[unique]
        values[_LEVEL] = (str(level),)
        values[_RETRIEVE_AE_TITLE] = (self.retrieve_ae_title,)
        values[_AVAILABILITY] = ("ONLINE" if record.is_online else "OFFLINE",)
        return values

    def _encode_all(self, values: Mapping[int, tuple[Value, ...]], character_set: str) -> bytes:
        codec = python_encoding[character_set]
        whole = {**values, _CHARACTER_SET: (character_set,)}
        return b"".join(self._element(tag, whole[tag], codec) for tag in sorted(whole))

    def _element(self, tag: int, values: tuple[Value, ...], codec: str) -> bytes:
        vr = _vr_of(tag)
        value = self._value(vr, values, codec)
        order = "<" if self.encoding.is_little_endian else ">"
        head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
        if self.encoding.is_implicit_vr:
            return head + struct.pack(order + "I", len(value)) + value
        if vr in _LONG_LENGTH:
            return head + vr.encode() + struct.pack(order + "HI", 0, len(value)) + value
        return head + vr.encode() + struct.pack(order + "H", len(value)) + value

    def _value(self, vr: str, values: tuple[Value, ...], codec: str) -> bytes:
        order = "<" if self.encoding.is_little_endian else ">"
        if vr == "SQ":
            return b"".join(
                self._item(value, codec) for value in values if isinstance(value, Mapping)
            )
        if vr == "US":
            return b"".join(struct.pack(order + "H", int(str(value))) for value in values)
        value = _encoded("\\".join(str(value) for value in values), codec)
        padding = b"\0" if vr in _PADDED_WITH_NUL else b" "
        return value + padding * (len(value) % 2)

    def _item(self, attributes: Mapping[str, str], codec: str) -> bytes:
        order = "<" if self.encoding.is_little_endian else ">"
        tags = sorted((tag_for_keyword(name) or 0, text) for name, text in attributes.items())
        body = b"".join(self._element(tag, (text,), codec) for tag, text in tags if text)
        return struct.pack(order + "HHI", _ITEM >> 16, _ITEM & 0xFFFF, len(body)) + body


def _encoded(text: str, codec: str) -> bytes:
    if codec == _WITH_KANJI:
        return bytes(custom_encoders[codec](text))
    return text.encode(codec)


@lru_cache(maxsize=4096)
def _vr_of(tag: int) -> str:
    vr = dictionary_VR(tag).split(" or ")[0]
    # What we hold no value of is written empty, in any representation of its length.
    return vr if vr in _KNOWN else "UN"

"""C-STORE and C-FIND commands (PS3.7 9.3): requests read, responses written.

Command sets are implicit VR little endian, a dozen short elements (PS3.7 6.3.1).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_GROUP_LENGTH: Final = 0x0000
_AFFECTED_SOP_CLASS_UID: Final = 0x0002
_COMMAND_FIELD: Final = 0x0100
_MESSAGE_ID: Final = 0x0110
_MESSAGE_ID_RESPONDED_TO: Final = 0x0120
_DATA_SET_TYPE: Final = 0x0800
_STATUS: Final = 0x0900
_OFFENDING_ELEMENT: Final = 0x0901
_ERROR_COMMENT: Final = 0x0902
_AFFECTED_SOP_INSTANCE_UID: Final = 0x1000

_C_STORE_RQ: Final = 0x0001
_C_STORE_RSP: Final = 0x8001
_C_FIND_RQ: Final = 0x0020
_C_FIND_RSP: Final = 0x8020
_C_CANCEL_RQ: Final = 0x0FFF
_NO_DATA_SET: Final = 0x0101
#: Any other value says that one follows.
_DATA_SET: Final = 0x0001


@dataclass(frozen=True)
class StoreRequest:
    """A C-STORE-RQ. `has_data_set` is false where it says that none follows."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    has_data_set: bool


def read_store_request(command: bytes) -> StoreRequest | None:
    """Return the request; None for any other command, and for what is no command set at all."""
    elements = _elements(command)
    field = _number(elements, _COMMAND_FIELD)
    message_id = _number(elements, _MESSAGE_ID)
    if field != _C_STORE_RQ or message_id is None:
        return None
    return StoreRequest(
        message_id=message_id,
        sop_class_uid=_uid(elements, _AFFECTED_SOP_CLASS_UID),
        sop_instance_uid=_uid(elements, _AFFECTED_SOP_INSTANCE_UID),
        has_data_set=_number(elements, _DATA_SET_TYPE) != _NO_DATA_SET,
    )


@dataclass(frozen=True)
class FindRequest:
    """A C-FIND-RQ. `has_identifier` is false where it says that none follows."""

    message_id: int
    sop_class_uid: str
    has_identifier: bool


def read_find_request(command: bytes) -> FindRequest | None:
    """Return the request; None for any other command, and for what is no command set at all."""
    elements = _elements(command)
    message_id = _number(elements, _MESSAGE_ID)
    if _number(elements, _COMMAND_FIELD) != _C_FIND_RQ or message_id is None:
        return None
    return FindRequest(
        message_id=message_id,
        sop_class_uid=_uid(elements, _AFFECTED_SOP_CLASS_UID),
        has_identifier=_number(elements, _DATA_SET_TYPE) != _NO_DATA_SET,
    )


def read_cancelled(command: bytes) -> int | None:
    """Return the Message ID a C-CANCEL-RQ takes back; None for any other command."""
    elements = _elements(command)
    if _number(elements, _COMMAND_FIELD) != _C_CANCEL_RQ:
        return None
    return _number(elements, _MESSAGE_ID_RESPONDED_TO)


def announces_data_set(command: bytes) -> bool:
    """Whether a command of any kind says that a data set follows it."""
    return _number(_elements(command), _DATA_SET_TYPE) not in {None, _NO_DATA_SET}


def store_response(request: StoreRequest, status: int, comment: str = "") -> bytes:
    """Return the encoded C-STORE-RSP.

    Parameters
    ----------
    comment
        Error Comment: ASCII, at most 64 characters.
    """
    elements = [
        (_AFFECTED_SOP_CLASS_UID, _padded(request.sop_class_uid, b"\0")),
        (_COMMAND_FIELD, struct.pack("<H", _C_STORE_RSP)),
        (_MESSAGE_ID_RESPONDED_TO, struct.pack("<H", request.message_id)),
        (_DATA_SET_TYPE, struct.pack("<H", _NO_DATA_SET)),
        (_STATUS, struct.pack("<H", status)),
        *([(_ERROR_COMMENT, _padded(comment, b" "))] if comment else []),
        (_AFFECTED_SOP_INSTANCE_UID, _padded(request.sop_instance_uid, b"\0")),
    ]
    return _command_set(elements)


def match_response(request: FindRequest, status: int) -> bytes:
    """Return the encoded C-FIND-RSP (PS3.7 9.3.2.2) that a match follows."""
    return _find_response(request, status, _DATA_SET)


def find_response(
    request: FindRequest, status: int, comment: str = "", offending: int | None = None
) -> bytes:
    """Return the encoded C-FIND-RSP that ends the matches.

    Parameters
    ----------
    comment
        Error Comment: ASCII, at most 64 characters.
    offending
        Tag of the key that is wrong, for Offending Element.
    """
    about: list[tuple[int, bytes]] = []
    if offending is not None:
        about.append((_OFFENDING_ELEMENT, struct.pack("<HH", offending >> 16, offending & 0xFFFF)))
    if comment:
        about.append((_ERROR_COMMENT, _padded(comment, b" ")))
    return _find_response(request, status, _NO_DATA_SET, about)


def _find_response(
    request: FindRequest, status: int, data_set_type: int, about: Sequence[tuple[int, bytes]] = ()
) -> bytes:
    return _command_set(
        [
            (_AFFECTED_SOP_CLASS_UID, _padded(request.sop_class_uid, b"\0")),
            (_COMMAND_FIELD, struct.pack("<H", _C_FIND_RSP)),
            (_MESSAGE_ID_RESPONDED_TO, struct.pack("<H", request.message_id)),
            (_DATA_SET_TYPE, struct.pack("<H", data_set_type)),
            (_STATUS, struct.pack("<H", status)),
            *about,
        ]
    )


def _command_set(elements: Sequence[tuple[int, bytes]]) -> bytes:
    body = b"".join(_element(element, value) for element, value in elements)
    return _element(_GROUP_LENGTH, struct.pack("<I", len(body))) + body


def _elements(command: bytes) -> dict[int, bytes]:
    """Return the values of group 0000 by element number; none where the lengths are wrong."""
    found, position = {}, 0
    while position + 8 <= len(command):
        group, element, length = struct.unpack_from("<HHI", command, position)
        value = command[position + 8 : position + 8 + length]
        if group != 0 or len(value) != length:
            return {}
        found[element] = value
        position += 8 + length
    return found if position == len(command) else {}


def _number(elements: dict[int, bytes], element: int) -> int | None:
    value = elements.get(element, b"")
    return int.from_bytes(value, "little") if len(value) == 2 else None


def _uid(elements: dict[int, bytes], element: int) -> str:
    return elements.get(element, b"").decode("latin-1").rstrip("\0 ")


def _padded(text: str, padding: bytes) -> bytes:
    value = text.encode("latin-1")
    return value + padding * (len(value) % 2)


def _element(element: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, element, len(value)) + value

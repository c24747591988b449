"""PDUs as a storage SCU writes and reads them (PS3.8 section 9.3), without any DICOM library.

The sender must cost as little as possible, so whole objects are encoded before they are sent.
"""

import struct
from dataclasses import dataclass
from typing import Final

from core.errors import NodeError
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

ASSOCIATE_RQ: Final = 0x01
ASSOCIATE_AC: Final = 0x02
ASSOCIATE_RJ: Final = 0x03
DATA_TF: Final = 0x04
RELEASE_RQ: Final = 0x05
RELEASE_RP: Final = 0x06
#: PDU type, reserved, length (PS3.8 table 9-11 and others).
HEADER_BYTES: Final = 6
#: The one presentation context we propose.
CONTEXT_ID: Final = 1
#: Largest P-DATA-TF we send, whatever is offered: DCMTK and what is built on it stop here.
LARGEST_PDU_BYTES: Final = 131_072
#: Item length, presentation context ID and message control header (PS3.8 table 9-23, E.2).
PDV_HEADER_BYTES: Final = 6

_APPLICATION_CONTEXT: Final = b"1.2.840.10008.3.1.1.1"
#: What we offer to receive: responses are short.
_OFFERED_PDU_BYTES: Final = 16_384
#: Behind protocol version, AE titles and what is reserved (PS3.8 table 9-11 and 9-17).
_FIRST_ITEM: Final = 68
_CONTEXT_RESULT: Final = 0x21
_USER_INFORMATION: Final = 0x50
_MAXIMUM_LENGTH: Final = 0x51
_COMMAND: Final = 0x01
_LAST: Final = 0x02


class SendFailed(NodeError):
    """A receiver did not take what was sent to it."""


@dataclass(frozen=True)
class Negotiated:
    """What an A-ASSOCIATE-AC says: the length of a P-DATA-TF it takes, at most what we send."""

    maximum_pdu_bytes: int

    @property
    def fragment_bytes(self) -> int:
        """Largest even fragment of a message in one P-DATA-TF."""
        return (self.maximum_pdu_bytes - PDV_HEADER_BYTES) & ~1


def associate_request(
    calling_ae_title: str, called_ae_title: str, sop_class_uid: str, transfer_syntax_uid: str
) -> bytes:
    """Return an A-ASSOCIATE-RQ that proposes one class in one transfer syntax."""
    context = struct.pack(">BBBB", CONTEXT_ID, 0, 0, 0)
    context += _item(0x30, sop_class_uid.encode()) + _item(0x40, transfer_syntax_uid.encode())
    user = _item(_MAXIMUM_LENGTH, struct.pack(">I", _OFFERED_PDU_BYTES))
    user += _item(0x52, IMPLEMENTATION_CLASS_UID.encode())
    user += _item(0x55, IMPLEMENTATION_VERSION_NAME.encode())
    titles = called_ae_title.ljust(16).encode() + calling_ae_title.ljust(16).encode()
    items = _item(0x10, _APPLICATION_CONTEXT) + _item(0x20, context)
    items += _item(_USER_INFORMATION, user)
    return _pdu(ASSOCIATE_RQ, struct.pack(">HH", 1, 0) + titles + bytes(32) + items)


def read_acceptance(body: bytes) -> Negotiated:
    """Read the body of an A-ASSOCIATE-AC.

    Raises
    ------
    SendFailed
        If our presentation context was not accepted.
    """
    maximum, accepted = 0, False
    for kind, value in _items(body[_FIRST_ITEM:]):
        if kind == _CONTEXT_RESULT:
            accepted = value[0] == CONTEXT_ID and value[2] == 0
        elif kind == _USER_INFORMATION:
            lengths = [part for sub, part in _items(value) if sub == _MAXIMUM_LENGTH]
            maximum = struct.unpack(">I", lengths[0])[0] if lengths else 0
    if not accepted:
        raise SendFailed("The receiver does not take this class in this transfer syntax")
    # 0 means any length.
    return Negotiated(min(maximum or LARGEST_PDU_BYTES, LARGEST_PDU_BYTES))


def store_request(message_id: int, sop_class_uid: str, sop_instance_uid: str) -> bytes:
    """Return the P-DATA-TF with a C-STORE-RQ's command set (PS3.7 table 9.3-1)."""
    elements = (
        _element(0x0002, _even(sop_class_uid))
        + _element(0x0100, struct.pack("<H", 0x0001))
        + _element(0x0110, struct.pack("<H", message_id))
        + _element(0x0700, struct.pack("<H", 0x0000))
        # Any value but 0101H: a data set follows.
        + _element(0x0800, struct.pack("<H", 0x0001))
        + _element(0x1000, _even(sop_instance_uid))
    )
    command = _element(0x0000, struct.pack("<I", len(elements))) + elements
    return data_header(len(command), _COMMAND | _LAST) + command


def find_request(message_id: int, sop_class_uid: str) -> bytes:
    """Return the P-DATA-TF with a C-FIND-RQ's command set (PS3.7 table 9.3-3)."""
    elements = (
        _element(0x0002, _even(sop_class_uid))
        + _element(0x0100, struct.pack("<H", 0x0020))
        + _element(0x0110, struct.pack("<H", message_id))
        + _element(0x0700, struct.pack("<H", 0x0000))
        + _element(0x0800, struct.pack("<H", 0x0001))
    )
    command = _element(0x0000, struct.pack("<I", len(elements))) + elements
    return data_header(len(command), _COMMAND | _LAST) + command


def data_header(fragment_bytes: int, control: int) -> bytes:
    """Return what stands before a fragment in a P-DATA-TF that holds it alone."""
    length = fragment_bytes + PDV_HEADER_BYTES
    item = struct.pack(">IBB", fragment_bytes + 2, CONTEXT_ID, control)
    return struct.pack(">BBI", DATA_TF, 0, length) + item


def data_set_pdus(data_set: bytes, fragment_bytes: int) -> bytearray:
    """Return a data set as P-DATA-TFs, one fragment in each."""
    stream = bytearray()
    view = memoryview(data_set)
    for start in range(0, len(view), fragment_bytes):
        fragment = view[start : start + fragment_bytes]
        is_last = start + fragment_bytes >= len(view)
        stream += data_header(len(fragment), _LAST if is_last else 0)
        stream += fragment
    return stream


def place_in_pdus(offset: int, length: int, fragment_bytes: int) -> int:
    """Return where bytes of the data set stand in `data_set_pdus`.

    Raises
    ------
    ValueError
        If they are divided between two PDUs.
    """
    number, inside = divmod(offset, fragment_bytes)
    if inside + length > fragment_bytes:
        raise ValueError("the value is divided between two PDUs")
    return offset + (number + 1) * (HEADER_BYTES + PDV_HEADER_BYTES)


def release_request() -> bytes:
    """Return an A-RELEASE-RQ."""
    return _pdu(RELEASE_RQ, bytes(4))


def read_status(body: bytes) -> int:
    """Return the Status of a C-STORE-RSP from the body of its P-DATA-TF.

    Raises
    ------
    SendFailed
        If it holds no whole response.
    """
    _, _, control = struct.unpack_from(">IBB", body)
    if control != _COMMAND | _LAST:
        raise SendFailed("The receiver answered with something that is no whole response")
    position, command = 0, body[PDV_HEADER_BYTES:]
    while position + 8 <= len(command):
        group, element, length = struct.unpack_from("<HHI", command, position)
        if (group, element) == (0x0000, 0x0900):
            return int(struct.unpack_from("<H", command, position + 8)[0])
        position += 8 + length
    raise SendFailed("The receiver answered without a Status")


def _pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBI", kind, 0, len(body)) + body


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(value)) + value


def _items(value: bytes) -> list[tuple[int, bytes]]:
    found, position = [], 0
    while position + 4 <= len(value):
        kind, length = struct.unpack_from(">BxH", value, position)
        found.append((kind, value[position + 4 : position + 4 + length]))
        position += 4 + length
    return found


def _element(element: int, value: bytes) -> bytes:
    """Return an element of group 0000 in Implicit VR Little Endian."""
    return struct.pack("<HHI", 0x0000, element, len(value)) + value


def _even(uid: str) -> bytes:
    encoded = uid.encode()
    return encoded + b"\0" * (len(encoded) % 2)

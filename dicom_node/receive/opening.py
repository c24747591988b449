"""With what a connection must begin before anybody spends a thread on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dicom_node.receive.pdu import PDU_HEADER_BYTES, PDUHeader

#: A-ASSOCIATE-RQ (PS3.8 9.3.2).
_ASSOCIATE_REQUEST: Final = 0x01
#: A TLS record's type, version and length; a handshake's type; 2^14 bytes at most (RFC 8446 5.1).
_RECORD_HEADER_BYTES: Final = 5
_HANDSHAKE: Final = 0x16
_LONGEST_RECORD_BYTES: Final = 1 << 14


@dataclass(frozen=True)
class Opening:
    """The first message of a connection.

    Attributes
    ----------
    header_bytes
        How many bytes tell what it is.
    measure
        Returns by them how many bytes it has with its header; 0 where it is another message.
    """

    name: str
    header_bytes: int
    measure: Callable[[bytes], int]


def association_request(maximum_pdu_bytes: int) -> Opening:
    """Return the opening of an association; who announces a longer request does not ask for one."""

    def measure(header: bytes) -> int:
        parsed = PDUHeader.parse(header)
        is_request = parsed.pdu_type == _ASSOCIATE_REQUEST
        if not is_request or not 0 < parsed.length <= maximum_pdu_bytes:
            return 0
        return PDU_HEADER_BYTES + parsed.length

    return Opening("association_request", PDU_HEADER_BYTES, measure)


def _measure_client_hello(header: bytes) -> int:
    length = int.from_bytes(header[3:_RECORD_HEADER_BYTES], "big")
    # All versions of TLS write 3 here.
    is_handshake = header[0] == _HANDSHAKE and header[1] == 3
    if not is_handshake or not 0 < length <= _LONGEST_RECORD_BYTES:
        return 0
    return _RECORD_HEADER_BYTES + length


CLIENT_HELLO: Final = Opening("client_hello", _RECORD_HEADER_BYTES, _measure_client_hello)

"""What stands in a P-DATA-TF PDU (PS3.8 9.3.5), read in place."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

PDU_HEADER_BYTES: Final = 6
P_DATA_TF: Final = 0x04
#: A-RELEASE-RQ and A-ABORT, with header: all that may come in data transfer beside P-DATA-TF.
ENDINGS: Final = frozenset({0x05, 0x07})
ENDING_BYTES: Final = 10
#: A-ASSOCIATE-RQ to A-ABORT (PS3.8 9.3).
_LAST_KNOWN_TYPE: Final = 0x07
_A_ABORT: Final = 0x07
_SERVICE_PROVIDER: Final = 2
#: Reasons of an A-ABORT by the service provider (PS3.8 table 9-26).
REASON_NOT_SPECIFIED: Final = 0
UNRECOGNISED_PDU: Final = 1
UNEXPECTED_PDU: Final = 2
INVALID_PDU_PARAMETER: Final = 6
#: Length (4 bytes), presentation context ID (1), message control header (1).
FRAGMENT_HEADER_BYTES: Final = 6
_IS_COMMAND: Final = 0x01
_IS_LAST: Final = 0x02


class MalformedPDU(ValueError):
    """The lengths in a P-DATA-TF PDU contradict each other."""


@dataclass(frozen=True)
class PDUHeader:
    """Type and length of a PDU; the length counts what follows the header."""

    pdu_type: int
    length: int

    @classmethod
    def parse(cls, header: bytes | bytearray | memoryview) -> "PDUHeader":
        """Read six bytes."""
        pdu_type, _, length = struct.unpack(">BBI", header)
        return cls(pdu_type, length)

    @property
    def is_known(self) -> bool:
        """Whether the standard knows this type."""
        return 0 < self.pdu_type <= _LAST_KNOWN_TYPE


@dataclass(frozen=True)
class Fragment:
    """A presentation data value: a piece of a command or of a data set."""

    context_id: int
    is_command: bool
    is_last: bool
    data: memoryview | bytes


def fragments_of(body: memoryview) -> Iterator[Fragment]:
    """Yield the presentation data values of a PDU's body, as views of it.

    Raises
    ------
    MalformedPDU
        If a length reaches beyond the end, or is too short to hold its own header.
    """
    position = 0
    while position < len(body):
        if position + FRAGMENT_HEADER_BYTES > len(body):
            raise MalformedPDU("a presentation data value is cut off")
        length, context_id, control = struct.unpack_from(">IBB", body, position)
        end = position + 4 + length
        if length < 2 or end > len(body):
            raise MalformedPDU("a presentation data value has a wrong length")
        data = body[position + FRAGMENT_HEADER_BYTES : end]
        yield Fragment(context_id, bool(control & _IS_COMMAND), bool(control & _IS_LAST), data)
        position = end


def fragment_pdu(fragment: Fragment) -> bytes:
    """Return a P-DATA-TF PDU that holds one presentation data value."""
    control = _IS_COMMAND * fragment.is_command | _IS_LAST * fragment.is_last
    length = len(fragment.data) + 2
    header = struct.pack(">BBI", P_DATA_TF, 0, length + 4)
    return header + struct.pack(">IBB", length, fragment.context_id, control) + fragment.data


def abort_pdu(reason: int) -> bytes:
    """Return an A-ABORT PDU of the service provider (PS3.8 9.3.8) with its reason."""
    return struct.pack(">BBIBBBB", _A_ABORT, 0, 4, 0, 0, _SERVICE_PROVIDER, reason)

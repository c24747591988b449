"""How a transfer syntax encodes a data set (PS3.5 section 10 and annex A)."""

import zlib
from dataclasses import dataclass
from typing import Final

from pynetdicom import ALL_TRANSFER_SYNTAXES

from dicom_node.errors import InvalidInstance, ObjectTooLarge

_IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
_EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
#: Deflated Explicit VR, JPIP Referenced Deflate and JPIP HTJ2K Referenced Deflate.
_DEFLATED: Final = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")

#: All of it is in memory for a moment.
_LARGEST_INFLATED_BYTES: Final = 1 << 30


@dataclass(frozen=True)
class Encoding:
    """Byte order and value representations of an (inflated) data set."""

    is_implicit_vr: bool
    is_little_endian: bool
    is_deflated: bool


def encoding_of(transfer_syntax_uid: str) -> Encoding:
    """Return how data sets of a transfer syntax are encoded.

    Raises
    ------
    InvalidInstance
        If the transfer syntax is none we accept.
    """
    if transfer_syntax_uid not in ALL_TRANSFER_SYNTAXES:
        raise InvalidInstance("The transfer syntax is unknown")
    return Encoding(
        is_implicit_vr=transfer_syntax_uid == _IMPLICIT_VR_LITTLE_ENDIAN,
        is_little_endian=transfer_syntax_uid != _EXPLICIT_VR_BIG_ENDIAN,
        is_deflated=transfer_syntax_uid in _DEFLATED,
    )


def inflate(deflated: bytes, maximum_bytes: int) -> bytes:
    """Return the data set of a deflated transfer syntax (RFC 1951, no header).

    Raises
    ------
    InvalidInstance
        If the bytes are damaged or cut off.
    ObjectTooLarge
        If more than `maximum_bytes`, or a gibibyte, would come out: a few bytes can deflate more.
    """
    maximum_bytes = min(maximum_bytes, _LARGEST_INFLATED_BYTES)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(deflated, maximum_bytes + 1)
    except zlib.error as error:
        raise InvalidInstance("The deflated data set is damaged") from error
    if len(inflated) > maximum_bytes:
        raise ObjectTooLarge
    if not inflater.eof:
        raise InvalidInstance("The deflated data set is cut off")
    return inflated

"""How a transfer syntax encodes a data set (PS3.5 section 10 and annex A)."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Final

from pynetdicom import ALL_TRANSFER_SYNTAXES

from dicom_node.errors import InvalidInstance, ObjectTooLarge

_IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
_EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
#: Deflated Explicit VR, JPIP Referenced Deflate and JPIP HTJ2K Referenced Deflate.
_DEFLATED: Final = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")

#: What is held in memory of an inflated data set: all attributes before pixels are far below it.
MAXIMUM_INFLATED_BYTES: Final = 16 << 20
_CHUNK_BYTES: Final = 1 << 18


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


def inflate(deflated: bytes | mmap, maximum_bytes: int, start: int = 0) -> bytes:
    """Return the beginning of a data set of a deflated transfer syntax (RFC 1951, no header).

    All of it is looked at; what lies behind `MAXIMUM_INFLATED_BYTES`, as pixels do, is not kept.

    Parameters
    ----------
    start
        Where the data set begins.

    Raises
    ------
    InvalidInstance
        If the bytes are damaged or cut off.
    ObjectTooLarge
        If more than `maximum_bytes` would come out: a few bytes can deflate gigabytes.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    kept, length = bytearray(), 0
    try:
        for piece in _inflated(inflater, deflated, start):
            kept += piece[: MAXIMUM_INFLATED_BYTES - len(kept)]
            length += len(piece)
            if length > maximum_bytes:
                raise ObjectTooLarge
    except zlib.error as error:
        raise InvalidInstance("The deflated data set is damaged") from error
    if not inflater.eof:
        raise InvalidInstance("The deflated data set is cut off")
    return bytes(kept)


def _inflated(inflater: "zlib._Decompress", deflated: bytes | mmap, start: int) -> Iterator[bytes]:
    for position in range(start, len(deflated), _CHUNK_BYTES):
        rest = deflated[position : position + _CHUNK_BYTES]
        while not inflater.eof:
            piece = inflater.decompress(rest, _CHUNK_BYTES)
            yield piece
            rest = inflater.unconsumed_tail
            # A full piece may not have been all.
            if not rest and len(piece) < _CHUNK_BYTES:
                break

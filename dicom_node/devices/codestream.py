"""What the compressed bytes of one frame say of themselves, read without decoding them."""

import struct
from typing import Final

_JPEG_2000_START: Final = b"\xff\x4f\xff\x51"
_JPEG_START: Final = b"\xff\xd8\xff"
_END: Final = b"\xff\xd9"
#: Start-of-frame markers of JPEG (C4, C8 and CC among them mean something else) and of JPEG-LS.
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_START_OF_SCAN: Final = 0xDA


def codestream_size(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns a JPEG, JPEG-LS or JPEG 2000 stream states, None if it is neither."""
    start = frame[:4096].find(_JPEG_2000_START)
    if start >= 0:
        return _jpeg_2000_size(frame[start:])
    if frame.startswith(_JPEG_START):
        return _jpeg_size(frame)
    return None


def is_complete(frame: bytes) -> bool:
    """Tell whether a stream has its end marker, with or without padding behind it."""
    return frame.rstrip(b"\0\xff").endswith(_END)


def _jpeg_2000_size(stream: bytes) -> tuple[int, int] | None:
    """Read the SIZ segment. Source: ISO/IEC 15444-1 A.5.1."""
    if len(stream) < 24:
        return None
    right, bottom, left, top = struct.unpack(">4I", stream[8:24])
    return bottom - top, right - left


def _jpeg_size(stream: bytes) -> tuple[int, int] | None:
    """Walk the segments to the start of the frame. Source: ISO/IEC 10918-1 B.2.2."""
    position = 2
    while position + 9 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        if marker in _START_OF_FRAME:
            rows, columns = struct.unpack(">2H", stream[position + 5 : position + 9])
            return rows, columns
        if marker == _START_OF_SCAN:
            return None
        fill = marker == 0xFF
        length = struct.unpack(">H", stream[position + 2 : position + 4])[0]
        position += 1 if fill else 2 + length
    return None

"""The digest of what a kept file says, read from the file itself."""

import struct
from collections.abc import Callable
from hashlib import sha256
from typing import BinaryIO, Final

#: Preamble, prefix and the whole element File Meta Information Group Length (PS3.10 7.1).
_FIXED_BYTES: Final = 128 + 4 + 12
#: Read at a time from a disk.
_CHUNK_BYTES: Final = 1 << 20


def read_digest(
    file: BinaryIO, beat: Callable[[], None] | None = None, chunk_bytes: int = _CHUNK_BYTES
) -> tuple[int, str] | None:
    """Return length in bytes and SHA-256 (hex) of its data set; None where it is no DICOM file.

    Parameters
    ----------
    beat
        Called for every chunk read.
    chunk_bytes
        Read at a time; a megabyte where nothing else is said.
    """
    if not _skip_file_meta(file):
        return None
    size, digest = 0, sha256()
    while chunk := file.read(chunk_bytes):
        size += len(chunk)
        digest.update(chunk)
        if beat is not None:
            beat()
    return size, digest.hexdigest()


def _skip_file_meta(file: BinaryIO) -> bool:
    """Move to the data set; return whether file meta information stands before it."""
    head = file.read(_FIXED_BYTES)
    if len(head) < _FIXED_BYTES or head[128:140] != b"DICM\x02\x00\x00\x00UL\x04\x00":
        return False
    (length,) = struct.unpack("<I", head[140:])
    file.seek(length, 1)
    return True

"""The SHA-256 of a file, on the way or by itself."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO, Final

_CHUNK_BYTES: Final = 1 << 20


class DigestingReader:
    """Reads an open file from where it stands, and knows the digest of what was read.

    Parameters
    ----------
    at_end
        Called once nothing more is there, before the reader is told so; may raise.
    """

    def __init__(self, file: BinaryIO, at_end: Callable[[], None] = lambda: None) -> None:
        self.size_bytes = 0
        self._file = file
        self._at_end = at_end
        self._digest = sha256()

    def read(self, length_bytes: int) -> bytes:
        """Read on; empty at the end."""
        chunk = self._file.read(length_bytes)
        if not chunk:
            self._at_end()
        self.size_bytes += len(chunk)
        self._digest.update(chunk)
        return chunk

    @property
    def digest(self) -> str:
        """SHA-256 of what was read, in hexadecimal."""
        return self._digest.hexdigest()


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of a whole open file, in hexadecimal."""
    file.seek(0)
    reader = DigestingReader(file)
    while reader.read(_CHUNK_BYTES):
        pass
    return reader.digest


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    """Return a whole open file piece by piece."""
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk

"""An object elsewhere, read as a file: only what is asked for is fetched."""

from collections.abc import Callable
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Fetched at a time at most: one request has to be through within its time-out on a slow line.
_PIECE_BYTES: Final = 8 << 20


class RemoteFile(RawIOBase):
    """An object that is read by ranges; a `BufferedReader` around it makes few of many reads.

    Parameters
    ----------
    size_bytes
        How long it is.
    head
        Its first bytes, which are here already.
    fetch
        Brings the bytes from a first place to before another.
    """

    #: Of no file on this machine; pydicom asks every buffered file for it.
    name = ""

    def __init__(
        self, size_bytes: int, head: bytes, fetch: Callable[[int, int], memoryview]
    ) -> None:
        self._size_bytes = size_bytes
        self._head = head
        self._fetch = fetch
        self._position = 0

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read from anywhere: it can."""
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Move to a place; nothing is fetched."""
        base = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("a place before the first byte")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the place it is read from."""
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer as far as one request brings bytes; return how many, 0 at the end."""
        target = memoryview(buffer).cast("B")
        found = self._piece(len(target))
        target[: len(found)] = found
        self._position += len(found)
        return len(found)

    def readall(self) -> bytes:
        """Return all from here on."""
        content = bytearray()
        while piece := self._piece(_PIECE_BYTES):
            content += piece
            self._position += len(piece)
        return bytes(content)

    def _piece(self, length: int) -> memoryview:
        start = self._position
        if start < len(self._head):
            return memoryview(self._head)[start : start + length]
        end = min(start + min(length, _PIECE_BYTES), self._size_bytes)
        return self._fetch(start, end) if start < end else memoryview(b"")

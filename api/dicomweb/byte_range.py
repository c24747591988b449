"""A range of bytes of a value (RFC 9110 14.1.2); one, as several are of no use here."""

import re
from dataclasses import dataclass
from typing import Final

from api.errors import RangeNotSatisfiable

_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


@dataclass(frozen=True)
class ByteRange:
    """From the first byte to before the last one."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start


def read_range(header: str | None, length: int) -> ByteRange | None:
    """Return the range a header asks for, None where it asks for none that we know.

    Raises
    ------
    RangeNotSatisfiable
        If it lies beyond the end.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        # The last so many bytes.
        start, end = max(0, length - int(last)), length
    else:
        start = int(first)
        end = min(length, int(last) + 1) if last else length
        if last and int(last) < start:
            return None
    if start >= length or start >= end:
        raise RangeNotSatisfiable(f"The value has {length} bytes")
    return ByteRange(start, end)

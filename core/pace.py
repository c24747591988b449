"""How long a message may keep us waiting: silence is one limit, trickling is another.

A peer that sends a little every now and then is never silent, and would hold its place for days.
"""

from typing import Final

#: Slower than any line a device is on: 32 kbit a second.
SLOWEST_BYTES_PER_SECOND: Final = 4096


class Pace:
    """The patience with one message.

    Parameters
    ----------
    patience_seconds
        What a message may take beyond the time its bytes need on the slowest line. Only time spent
        waiting for its sender counts, not what we do with it meanwhile.
    """

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._waited_seconds = 0.0
        self._came_bytes = 0

    def begin(self) -> None:
        """Start with a new message."""
        self._waited_seconds, self._came_bytes = 0.0, 0

    def count(self, size_bytes: int, seconds: float) -> None:
        """Take note of bytes that came, and of how long they were waited for."""
        self._came_bytes += size_bytes
        self._waited_seconds += seconds

    @property
    def left_seconds(self) -> float:
        """How much longer its next bytes may be waited for; 0 where the patience is at an end."""
        allowed = self._patience_seconds + self._came_bytes / SLOWEST_BYTES_PER_SECOND
        return max(0.0, allowed - self._waited_seconds)

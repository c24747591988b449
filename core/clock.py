"""What time it is, in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return this host's time, time-zone aware."""
    return datetime.now(UTC)

"""Moments as that API writes them."""

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """Return a moment in UTC to the millisecond, as `2026-01-01T00:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

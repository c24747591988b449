"""How often something must be heard of a peer, and since when it is overdue.

A rhythm is a time and the days of the week it counts on: `24h` on `mon-fri` means that at most 24
hours of working days pass without an object. Hours of other days do not count, so that nobody is
woken on a Sunday. Days are those of the node's own time zone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Self

from core.errors import NodeError
from core.tables.peers import PeerRow

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_EVERY: Final = re.compile(r"(\d{1,5})([mhd])")
_SPAN: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")
_SHORTEST: Final = timedelta(minutes=5)
_LONGEST: Final = timedelta(days=366)
#: Further back nothing is looked at: any rhythm is long overdue by then.
_HORIZON: Final = timedelta(days=3 * 366)


class RhythmInvalid(NodeError):
    """A rhythm is a time like 24h, 90m or 7d, from 5m to 366d, and days like mon-fri or mon,wed."""


@dataclass(frozen=True)
class Rhythm:
    """What is expected.

    Attributes
    ----------
    days
        Days of the week that count, Monday is 0.
    """

    every: timedelta
    days: frozenset[int]

    @classmethod
    def of(cls, every_seconds: int | None, days: str) -> Self | None:
        """Return the rhythm a record holds; None where nothing is expected."""
        if every_seconds is None:
            return None
        return cls(timedelta(seconds=every_seconds), parse_days(days))

    def overdue_since(
        self, last: datetime, now: datetime, zone: tzinfo | None = None
    ) -> datetime | None:
        """Return when the time was up; None where it is not.

        Parameters
        ----------
        last
            When something was heard last.
        zone
            Whose days count; by default the node's own.
        """
        left = self.every
        for begin, end in self._counting(max(last, now - _HORIZON), now, zone):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        return None

    def _counting(
        self, begin: datetime, end: datetime, zone: tzinfo | None
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the parts of a time that lie on days that count."""
        day = begin.astimezone(zone).date()
        # In UTC: between two times of one zone Python counts hours as if clocks never changed.
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
        while begin < end:
            day += timedelta(days=1)
            midnight = datetime.combine(day, time(), zone).astimezone(UTC)
            until = min(midnight, end)
            if (day - timedelta(days=1)).weekday() in self.days and until > begin:
                yield begin, until
            begin = max(until, begin)


def silent_since(peer: PeerRow, last_object_at: datetime | None, now: datetime) -> datetime | None:
    """Return since when a peer is overdue; None where it is not, or nothing is expected of it.

    One that never sent anything counts from when it was added.
    """
    rhythm = Rhythm.of(peer.expect_every_seconds, peer.expect_days)
    if rhythm is None:
        return None
    return rhythm.overdue_since(last_object_at or peer.added_at, now)


def parse_every(text: str) -> timedelta:
    """Read a time like 24h, 90m or 7d.

    Raises
    ------
    RhythmInvalid
        If it is none, or shorter than 5 minutes or longer than 366 days.
    """
    match = _EVERY.fullmatch(text.strip().lower())
    if match is None:
        raise RhythmInvalid
    every = int(match[1]) * _UNITS[match[2]]
    if not _SHORTEST <= every <= _LONGEST:
        raise RhythmInvalid
    return every


def parse_days(text: str) -> frozenset[int]:
    """Read days of the week like `mon-fri` or `mon,wed,fri`; an empty text means all.

    Raises
    ------
    RhythmInvalid
        If one is no day.
    """
    if not text.strip():
        return frozenset(range(7))
    return frozenset(day for part in text.lower().split(",") for day in _span(part.strip()))


def _span(text: str) -> Iterator[int]:
    match = _SPAN.fullmatch(text)
    if match is None or match[1] not in _DAYS or (match[2] or match[1]) not in _DAYS:
        raise RhythmInvalid
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
    # A span may run over the end of the week: sat-mon.
    return (day % 7 for day in range(first, last + 1 if last >= first else last + 8))

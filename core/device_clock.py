"""What the times in a device's objects say of its clock, against the time we received them.

An object is never sent before it was taken. So the time from taking to receiving is never negative
where both clocks are right, and its smallest value of a day is close to the error of the device's
clock, plus the time the device waits before it sends. A clock that is ahead is thus seen for
certain. One that is behind looks the same as a device that sends late: the two are told as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

#: Clocks of devices that differ by less from ours are good enough; some write whole minutes only.
TOLERANCE_SECONDS: Final = 60.0
#: Objects that never came sooner than this after they were taken.
LATE_SECONDS: Final = 2 * 3600.0
#: Days with objects that are remembered.
DAYS_KEPT: Final = 7
#: Days of objects that must all be late before it is told.
_DAYS_TO_BE_LATE: Final = 2
#: Zones differ by whole quarters of an hour.
_ZONE_STEP_SECONDS: Final = 900.0


class ClockState(StrEnum):
    """What can be said of a device's clock."""

    #: Its objects tell no time of taking.
    UNKNOWN = "unknown"
    #: Objects come soon after they were taken, never before.
    PLAUSIBLE = "plausible"
    #: Objects come before they were taken: its clock, or its time zone, is wrong.
    AHEAD = "ahead"
    #: On every day objects came hours after they were taken: sent late, or its clock is behind.
    LATE_OR_BEHIND = "late_or_behind"


@dataclass(frozen=True)
class ClockFinding:
    """What was found.

    Attributes
    ----------
    offset_seconds
        How far the device's clock is ahead of ours at least (positive), or how long its objects
        take or its clock is behind (negative); None where it is not known.
    looks_like_zone
        Whether the offset is close to whole quarters of an hour, as between time zones.
    """

    state: ClockState
    offset_seconds: float | None
    looks_like_zone: bool = False


def judge_clock(days: Mapping[str, float]) -> ClockFinding:
    """Return what the smallest times from taking to receiving, seconds by day, say.

    A clock that is ahead counts on the last day alone, so that one that was mended is well the next
    day; what is late must be so on every day there is, and on two at least.
    """
    if not days:
        return ClockFinding(ClockState.UNKNOWN, None)
    latest = days[max(days)]
    if latest < -TOLERANCE_SECONDS:
        return ClockFinding(ClockState.AHEAD, -latest, _looks_like_zone(latest))
    soonest = min(days.values())
    if soonest > LATE_SECONDS and len(days) >= _DAYS_TO_BE_LATE:
        return ClockFinding(ClockState.LATE_OR_BEHIND, -soonest, _looks_like_zone(soonest))
    return ClockFinding(ClockState.PLAUSIBLE, -latest)


def note_difference(days: Mapping[str, float], day: date, seconds: float) -> dict[str, float]:
    """Return the days with one more object's time from taking to receiving; the oldest go."""
    key = day.isoformat()
    noted = {**days, key: min(round(seconds, 1), days.get(key, seconds))}
    return {day: noted[day] for day in sorted(noted)[-DAYS_KEPT:]}


def _looks_like_zone(seconds: float) -> bool:
    size = abs(seconds)
    off = size % _ZONE_STEP_SECONDS
    near = min(off, _ZONE_STEP_SECONDS - off) <= TOLERANCE_SECONDS
    return size > _ZONE_STEP_SECONDS / 2 and near

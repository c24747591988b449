"""How rhythms, clocks and UIDs read on a page."""

from collections.abc import Mapping
from typing import Final

from pydicom.uid import UID

from api.dashboard.translation import gettext, to_translate
from core.device_clock import ClockFinding, ClockState

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
#: From how many seconds on a time is said in which unit.
_UNITS: Final = (
    (2 * _DAY, _DAY, to_translate("%s days")),
    (_HOUR, _HOUR, to_translate("%s h")),
    (_MINUTE, _MINUTE, to_translate("%s min")),
)


def rhythm(every_seconds: int | None, days: str) -> str:
    """Return what is expected of a peer."""
    if every_seconds is None:
        return gettext("nothing")
    every = gettext("every %s") % duration(every_seconds)
    return f"{every}, {days}" if days else every


def duration(seconds: float) -> str:
    """Return a time in the unit people would use, one decimal where it is not whole."""
    size = abs(seconds)
    for least, unit, words in _UNITS:
        if size >= least:
            return gettext(words) % f"{size / unit:.1f}".removesuffix(".0")
    return gettext("%s s") % f"{size:.0f}"


def clock(finding: ClockFinding) -> str:
    """Return what a device's objects say of its clock."""
    if finding.offset_seconds is None:
        return gettext("Not known: objects name no time")
    how_far = duration(finding.offset_seconds)
    if finding.state is ClockState.AHEAD:
        ahead = gettext("Ahead by at least %s") % how_far
        zone = gettext("; perhaps another time zone") if finding.looks_like_zone else ""
        return ahead + zone
    if finding.state is ClockState.LATE_OR_BEHIND:
        return gettext("Objects come %s late: sent late, or the clock is behind") % how_far
    return gettext("Plausible")


def names(counts: Mapping[str, int]) -> list[str]:
    """Return what UIDs are called and how often each came, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [f"{UID(uid).name}: {count}" for uid, count in ordered]

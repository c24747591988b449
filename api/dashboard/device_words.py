"""How rhythms, clocks and UIDs read on a page."""

from collections.abc import Mapping
from typing import Final

from pydicom.uid import UID

from core.device_clock import ClockFinding, ClockState

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def rhythm(every_seconds: int | None, days: str) -> str:
    """Return what is expected of a peer."""
    if every_seconds is None:
        return "nothing"
    return f"every {duration(every_seconds)}{f', {days}' if days else ''}"


def duration(seconds: float) -> str:
    """Return a time in the unit people would use, one decimal where it is not whole."""
    size = abs(seconds)
    for unit, name in ((2 * _DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if size >= unit:
            number = size / (_DAY if name == "days" else unit)
            return f"{number:.1f}".removesuffix(".0") + f" {name}"
    return f"{size:.0f} s"


def clock(finding: ClockFinding) -> str:
    """Return what a device's objects say of its clock."""
    if finding.offset_seconds is None:
        return "Not known: objects name no time"
    how_far = duration(finding.offset_seconds)
    if finding.state is ClockState.AHEAD:
        zone = "; perhaps another time zone" if finding.looks_like_zone else ""
        return f"Ahead by at least {how_far}{zone}"
    if finding.state is ClockState.LATE_OR_BEHIND:
        return f"Objects come {how_far} late: sent late, or the clock is behind"
    return "Plausible"


def names(counts: Mapping[str, int]) -> list[str]:
    """Return what UIDs are called and how often each came, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [f"{UID(uid).name}: {count}" for uid, count in ordered]

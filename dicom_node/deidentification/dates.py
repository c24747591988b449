"""Dates of an object, moved."""

import re
from datetime import date
from typing import Final

from core.pseudonyms import shifted

_DAY: Final = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})")
_MOMENT: Final = re.compile(r"(\d{4})(\d{2})?(\d{2})?(\d{2}.*)?", re.DOTALL)
_CLOCK: Final = re.compile(r"[\d.:]{2,16}")
_ZONE: Final = re.compile(r"[+-]\d{4}$")


def moved(vr: str, text: str, days_back: int) -> str:
    """Return a date (DA) or moment (DT) earlier, and a time of day (TM) as it is.

    What is none is empty.
    """
    if vr == "TM":
        return text if _CLOCK.fullmatch(text) else ""
    return _day_moved(text, days_back) if vr == "DA" else _moment_moved(text, days_back)


def _day_moved(text: str, days_back: int) -> str:
    found = _DAY.fullmatch(text.strip())
    day = _moved_day(found.groups(), days_back) if found else None
    return f"{day:%Y%m%d}".zfill(8) if day else ""


def _moment_moved(text: str, days_back: int) -> str:
    found = _MOMENT.fullmatch(_ZONE.sub("", text.strip()))
    if not found:
        return ""
    year, month, dom, clock = found.groups()
    day = _moved_day((year, month or "01", dom or "01"), days_back)
    if day is None or not _CLOCK.fullmatch(clock or "00"):
        return ""
    # As precise as it was: a year alone stays a year.
    length = 4 if month is None else 6 if dom is None else 8
    return f"{day:%Y%m%d}".zfill(8)[:length] + (clock or "")


def _moved_day(parts: tuple[str | None, ...], days_back: int) -> date | None:
    try:
        return shifted(date(*(int(part or 1) for part in parts)), days_back)
    except ValueError:
        return None

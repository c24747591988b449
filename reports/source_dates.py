"""Whether a text is a date or time of the standard (PS3.5 table 6.2-1)."""

import re
from datetime import date
from typing import Final

_TIME: Final = r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?"
_PATTERNS: Final = {
    "DA": re.compile(r"(?P<date>\d{8})"),
    "TM": re.compile(_TIME),
    "DT": re.compile(rf"(?P<date>\d{{8}})({_TIME})?([+-]\d{{4}})?"),
}


def is_date_or_time(vr: str, text: str) -> bool:
    """Return whether the text is a valid DA, TM or DT; a DT must name a day."""
    match = _PATTERNS[vr].fullmatch(text.strip())
    if match is None:
        return False
    return "date" not in match.groupdict() or _is_day(match["date"])


def _is_day(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True

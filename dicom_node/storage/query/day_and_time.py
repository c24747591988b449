"""Days and times of day as matching keys write them: a value or a range (PS3.4 C.2.2.2.5)."""

import re
from datetime import date, datetime
from typing import Final

from dicom_node.errors import MatchingKeyInvalid
from dicom_node.storage.query.match import Days, Times

_DAY: Final = r"\d{8}|\d{4}\.\d{2}\.\d{2}"
_DAYS: Final = re.compile(rf"(?P<first>{_DAY})?\s*(?P<to>-)?\s*(?P<last>{_DAY})?", re.ASCII)
_TIME: Final = r"[0-2]\d(?::?[0-5]\d(?::?[0-6]\d(?:\.\d{1,6})?)?)?"
_TIMES: Final = re.compile(rf"(?P<first>{_TIME})?\s*(?P<to>-)?\s*(?P<last>{_TIME})?", re.ASCII)


def parse_days(keyword: str, text: str) -> Days:
    """Read `20240101`, `20240101-20240131`, `20240101-` or `-20240131`.

    Raises
    ------
    MatchingKeyInvalid
        If it is none of them, or names a day that is not in the calendar.
    """
    match = _match(_DAYS, text)
    if match is None:
        raise MatchingKeyInvalid(keyword, "is no date YYYYMMDD, nor a range of two")
    first, last = _day(keyword, match["first"]), _day(keyword, match["last"])
    return Days(first, last if match["to"] else first)


def parse_times(keyword: str, text: str) -> Times:
    """Read `10`, `1030`, `103000.5`, or a range such as `1030-1100`, `1030-` or `-1100`.

    Raises
    ------
    MatchingKeyInvalid
        If it is none of them.
    """
    match = _match(_TIMES, text)
    if match is None:
        raise MatchingKeyInvalid(keyword, "is no time HHMMSS, nor a range of two")
    first, last = ((match[name] or "").replace(":", "") for name in ("first", "last"))
    is_range = bool(match["to"])
    return Times(_without_zeros(first), last if is_range else first, is_range)


def _match(form: re.Pattern[str], text: str) -> re.Match[str] | None:
    match = form.fullmatch(text)
    if match is None or not (match["first"] or match["last"]):
        return None
    # Two values without a hyphen are no range.
    return match if match["to"] or not (match["first"] and match["last"]) else None


def _day(keyword: str, text: str | None) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text.replace(".", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError as error:
        raise MatchingKeyInvalid(keyword, "names a day that is not in the calendar") from error


def _without_zeros(time: str) -> str:
    whole, _, fraction = time.partition(".")
    if fraction.rstrip("0"):
        return f"{whole}.{fraction.rstrip('0')}"
    while len(whole) > len("HH") and whole.endswith("00"):
        whole = whole[:-2]
    return whole

"""How long a web service asks to be left alone: Retry-After (RFC 9110 10.2.3)."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from core.clock import Clock, utc_now

#: Answers that may say so: too many requests, and out of service for a while.
_MAY_SAY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
#: Nobody means more digits than this.
_MOST_DIGITS: Final = 9


def asked_pause_seconds(
    status: int, headers: Mapping[str, str], clock: Clock = utc_now
) -> float | None:
    """Return for how many seconds an answer asks to be left alone; None where it does not say.

    A date is counted from the service's own clock, where it tells that.
    """
    text = headers.get("retry-after", "").strip()
    if status not in _MAY_SAY or not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:_MOST_DIGITS])
    until = _moment(text)
    if until is None:
        return None
    now = _moment(headers.get("date", "")) or clock()
    return max((until - now).total_seconds(), 0.0)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone is none of HTTP's.
    return moment if moment.tzinfo is not None else None

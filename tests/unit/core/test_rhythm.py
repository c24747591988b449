from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.rhythm import Rhythm, RhythmInvalid, parse_days, parse_every

#: 27 November 2026 is a Friday.
_FRIDAY = datetime(2026, 11, 27, 17, tzinfo=UTC)
_WORKING_DAYS = Rhythm(timedelta(hours=24), parse_days("mon-fri"))
_EVERY_DAY = Rhythm(timedelta(hours=24), parse_days(""))


def test_time_is_up_to_the_moment() -> None:
    up = _FRIDAY + timedelta(hours=24)

    assert _EVERY_DAY.overdue_since(_FRIDAY, up - timedelta(seconds=1), UTC) is None
    assert _EVERY_DAY.overdue_since(_FRIDAY, up, UTC) == up
    assert _EVERY_DAY.overdue_since(_FRIDAY, up + timedelta(days=9), UTC) == up


def test_weekend_does_not_count() -> None:
    monday = datetime(2026, 11, 30, 16, 59, tzinfo=UTC)

    assert _WORKING_DAYS.overdue_since(_FRIDAY, monday, UTC) is None
    assert _WORKING_DAYS.overdue_since(_FRIDAY, monday + timedelta(hours=1), UTC) == datetime(
        2026, 11, 30, 17, tzinfo=UTC
    )


def test_days_are_those_of_the_zone() -> None:
    """Friday 17:00 UTC is Saturday in Auckland: from there on, nothing counts until Monday."""
    auckland = ZoneInfo("Pacific/Auckland")

    overdue = _WORKING_DAYS.overdue_since(_FRIDAY, _FRIDAY + timedelta(days=7), auckland)

    assert overdue == datetime(2026, 12, 1, tzinfo=auckland)


def test_day_on_which_clocks_change_has_its_real_length() -> None:
    """25 October 2026 has 25 hours in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    midnight = datetime(2026, 10, 25, tzinfo=berlin)
    sundays = Rhythm(timedelta(hours=25), parse_days("sun"))

    overdue = sundays.overdue_since(midnight, midnight + timedelta(days=5), berlin)

    assert overdue == datetime(2026, 10, 26, tzinfo=berlin)


def test_silence_of_many_years_is_found_and_ends() -> None:
    assert _WORKING_DAYS.overdue_since(_FRIDAY - timedelta(days=9999), _FRIDAY, UTC) is not None


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("24h", timedelta(hours=24)),
        ("90m", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        (" 8H ", timedelta(hours=8)),
    ],
)
def test_time_is_read(text: str, every: timedelta) -> None:
    assert parse_every(text) == every


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1m", "0h", "367d", "1h30m", "99999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RhythmInvalid, match="24h, 90m or 7d"):
        parse_every(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", {0, 1, 2, 3, 4, 5, 6}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("Mon, wed,fri", {0, 2, 4}),
        ("sat-mon", {5, 6, 0}),
        ("tue", {1}),
        ("mon-sun", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_days_are_read(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["monday", "mon-", "mo-fr", "mon--fri", ",", "mon-abc"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(RhythmInvalid):
        parse_days(text)

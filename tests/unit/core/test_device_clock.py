from datetime import date

import pytest

from core.device_clock import DAYS_KEPT, ClockFinding, ClockState, judge_clock, note_difference


@pytest.mark.parametrize(
    ("days", "finding"),
    [
        ({}, ClockFinding(ClockState.UNKNOWN, None)),
        ({"2026-03-04": 40.0}, ClockFinding(ClockState.PLAUSIBLE, -40.0)),
        ({"2026-03-04": -59.0}, ClockFinding(ClockState.PLAUSIBLE, 59.0)),
        ({"2026-03-04": -600.0}, ClockFinding(ClockState.AHEAD, 600.0)),
        # Three hours, less what sending took: a device set to another zone.
        ({"2026-03-04": -10_770.0}, ClockFinding(ClockState.AHEAD, 10_770.0, looks_like_zone=True)),
        # Mended: yesterday counts no more.
        ({"2026-03-03": -600.0, "2026-03-04": 30.0}, ClockFinding(ClockState.PLAUSIBLE, -30.0)),
        # An evening push, or a clock behind; one day of it tells nothing.
        ({"2026-03-04": 30_000.0}, ClockFinding(ClockState.PLAUSIBLE, -30_000.0)),
        (
            {"2026-03-03": 20_100.0, "2026-03-04": 30_000.0},
            ClockFinding(ClockState.LATE_OR_BEHIND, -20_100.0),
        ),
        # On one of the days it came at once: the clock is right, the rest was sent late.
        (
            {"2026-03-03": 20.0, "2026-03-04": 30_000.0},
            ClockFinding(ClockState.PLAUSIBLE, -30_000.0),
        ),
    ],
)
def test_clock_is_judged_by_the_smallest_differences(
    days: dict[str, float], finding: ClockFinding
) -> None:
    assert judge_clock(days) == finding


def test_smallest_difference_of_a_day_is_kept() -> None:
    days = note_difference({}, date(2026, 3, 4), 120.0)
    days = note_difference(days, date(2026, 3, 4), 45.04)
    days = note_difference(days, date(2026, 3, 4), 3600.0)

    assert days == {"2026-03-04": 45.0}


def test_last_days_are_kept() -> None:
    days: dict[str, float] = {}
    for day in range(1, 20):
        days = note_difference(days, date(2026, 3, day), float(day))

    assert list(days) == [f"2026-03-{day:02}" for day in range(20 - DAYS_KEPT, 20)]

import pytest

from api.dashboard.device_words import clock, duration, names, rhythm
from core.device_clock import ClockFinding, ClockState


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (-90, "1.5 min"),
        (86_400, "24 h"),
        (10_790, "3 h"),
        (10_440, "2.9 h"),
        (14 * 86_400, "14 days"),
    ],
)
def test_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_rhythm_reads_as_people_say_it() -> None:
    assert rhythm(None, "") == "nothing"
    assert rhythm(86_400, "") == "every 24 h"
    assert rhythm(5_400, "mon-fri") == "every 1.5 h, mon-fri"


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (ClockFinding(ClockState.UNKNOWN, None), "Not known: objects name no time"),
        (ClockFinding(ClockState.PLAUSIBLE, -20.0), "Plausible"),
        (ClockFinding(ClockState.AHEAD, 600.0), "Ahead by at least 10 min"),
        (
            ClockFinding(ClockState.AHEAD, 3600.0, looks_like_zone=True),
            "Ahead by at least 1 h; perhaps another time zone",
        ),
        (
            ClockFinding(ClockState.LATE_OR_BEHIND, -30_600.0),
            "Objects come 8.5 h late: sent late, or the clock is behind",
        ),
    ],
)
def test_clock_says_what_is_known_and_no_more(finding: ClockFinding, text: str) -> None:
    assert clock(finding) == text


def test_names_are_the_standards_most_frequent_first() -> None:
    counts = {"1.2.840.10008.1.2": 1, "1.2.840.10008.1.2.1": 5, "1.2.3": 1}

    assert names(counts) == [
        "Explicit VR Little Endian: 5",
        "1.2.3: 1",
        "Implicit VR Little Endian: 1",
    ]

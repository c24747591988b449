from datetime import UTC, datetime
from itertools import pairwise

import pytest

from api.dashboard.trend_axes import Scale, time_scale, time_ticks, value_scale, value_ticks
from core.trends.telling import years_of


def _years(*moments: tuple[int, int, int]) -> list[float]:
    return [years_of(datetime(*moment, tzinfo=UTC)) for moment in moments]


def test_scale_turns_values_into_places_and_larger_ones_higher() -> None:
    scale = value_scale([-10.0, 0.0], 6.0, start=200, end=0)

    assert scale.at(0.0) < scale.at(-10.0)
    assert 0 < scale.at(0.0) < scale.at(-10.0) < 200


@pytest.mark.parametrize("values", [[], [-3.0], [-3.0, -3.1]])
def test_small_changes_are_not_drawn_as_large_ones(values: list[float]) -> None:
    scale = value_scale(values, 6.0, start=200, end=0)

    assert scale.high - scale.low >= 6.0


@pytest.mark.parametrize(
    ("low", "high"), [(-33.0, 3.0), (-3.2, 3.1), (59.0, 61.0), (0.0, 0.45), (40.0, 260.0)]
)
def test_ticks_are_round_few_and_inside(low: float, high: float) -> None:
    scale = Scale(low, high, 0, 100)

    ticks = value_ticks(scale)

    assert 2 <= len(ticks) <= 7
    assert all(0 <= tick.at <= 100 for tick in ticks)
    values = [float(tick.label.replace("−", "-")) for tick in ticks]
    steps = {round(after - before, 6) for before, after in pairwise(values)}
    assert len(steps) == 1


def test_long_times_have_years_and_short_ones_months() -> None:
    long = time_ticks(time_scale(_years((2012, 3, 1), (2024, 5, 1)), 0, 500))
    short = time_ticks(time_scale(_years((2024, 1, 1), (2024, 12, 1)), 0, 500))

    assert [tick.label for tick in long] == ["2015", "2020", "2025"]
    assert all(tick.label[4] == "-" for tick in short)
    assert 2 <= len(short) <= 8


def test_one_visit_has_an_axis_too() -> None:
    scale = time_scale(_years((2024, 6, 1)), 0, 500)

    assert scale.at(_years((2024, 6, 1))[0]) == pytest.approx(250, abs=0.5)
    assert time_scale([], 0, 500).at(0.5) == 250


@pytest.mark.parametrize("year", [1900, 2199])
def test_ends_of_the_calendar_that_is_drawn_have_ticks(year: int) -> None:
    assert time_ticks(time_scale(_years((year, 1, 1)), 0, 500)) != []

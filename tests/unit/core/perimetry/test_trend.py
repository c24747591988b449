import math

import numpy as np
import pytest
from scipy.stats import linregress, t

from core.perimetry.trend import MINIMUM_SPAN_YEARS, MINIMUM_VISITS, Line, NoSlope, fit_line


def _line(years: list[float], values: list[float]) -> Line:
    line = fit_line(years, values)
    assert isinstance(line, Line)
    return line


@pytest.mark.parametrize("seed", range(8))
def test_line_and_interval_are_those_of_an_independent_implementation(seed: int) -> None:
    random = np.random.default_rng(seed)
    years = list(2015 + np.sort(random.uniform(0, 8, 4 + seed)))
    values = list(-3 - 0.6 * (np.array(years) - 2015) + random.normal(0, 1.2, len(years)))

    line = _line(years, values)

    other = linregress(years, values)
    half = t.ppf(0.975, len(years) - 2) * other.stderr
    assert line.slope_per_year == pytest.approx(other.slope, rel=1e-9)
    assert line.lower_per_year == pytest.approx(other.slope - half, rel=1e-9)
    assert line.upper_per_year == pytest.approx(other.slope + half, rel=1e-9)
    assert line.value_at_first == pytest.approx(other.intercept + other.slope * min(years))
    assert line.value_at_last == pytest.approx(other.intercept + other.slope * max(years))
    assert (line.visits, line.first_years, line.last_years) == (len(years), min(years), max(years))


def test_known_line_worked_by_hand() -> None:
    # x̄ = 1.5, Sxx = 5, Sxy = -5.5; residuals 0.1, -0.3, 0.3, -0.1: 0.2 / 2 = 0.1.
    line = _line([0, 1, 2, 3], [-1.0, -2.5, -3.0, -4.5])

    assert line.slope_per_year == pytest.approx(-1.1)
    assert line.residual_sd == pytest.approx(math.sqrt(0.1))
    half = 4.302652729911275 * math.sqrt(0.1 / 5)
    assert line.upper_per_year - line.slope_per_year == pytest.approx(half)


def test_values_on_a_line_leave_no_doubt() -> None:
    line = _line([0, 1, 2, 3, 4], [-1, -2, -3, -4, -5])

    assert (line.lower_per_year, line.upper_per_year) == pytest.approx((-1, -1))


def test_order_of_the_visits_does_not_matter() -> None:
    years, values = [0.0, 1.0, 2.5, 3.0, 4.2], [-1.0, -1.4, -1.1, -2.2, -2.0]

    turned = _line(years[::-1], values[::-1])

    assert turned.slope_per_year == pytest.approx(_line(years, values).slope_per_year)


def test_interval_covers_the_true_slope_as_often_as_it_says() -> None:
    random = np.random.default_rng(20)
    years = np.linspace(0, 4, 6)
    covered = 0
    for _ in range(2000):
        line = _line(list(years), list(-0.5 * years + random.normal(0, 1, 6)))
        covered += line.lower_per_year <= -0.5 <= line.upper_per_year

    # 95 % of 2000, and four standard errors of that.
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)


def test_few_visits_give_no_slope() -> None:
    assert fit_line([0, 1, 2], [0, -1, -2]) is NoSlope.TOO_FEW_VISITS
    assert fit_line([], []) is NoSlope.TOO_FEW_VISITS
    assert isinstance(fit_line(range(MINIMUM_VISITS), [0.0] * MINIMUM_VISITS), Line)


def test_a_short_time_gives_no_slope() -> None:
    quarter = [0, 0.05, 0.1, MINIMUM_SPAN_YEARS - 0.01]

    assert fit_line(quarter, [-1, -2, -3, -4]) is NoSlope.SPAN_TOO_SHORT


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_no_number_is_refused(broken: float) -> None:
    with pytest.raises(ValueError, match="has no place in a trend"):
        fit_line([0, 1, 2, 3], [-1, broken, -1, -1])
    with pytest.raises(ValueError, match="one value for each visit"):
        fit_line([0, 1, 2, 3], [-1, -1])

"""How fast an index of one eye changes: a straight line by least squares, with its interval.

The interval says how far the slope is known from these visits alone, if errors from visit to visit
are independent and alike. It is no test of progression: nothing is corrected for looking after each
visit, nor for ageing where the index has no age norm, and an estimate that is drawn towards the
mean of its training eyes changes less than the eye does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.special import stdtrit

#: Two visits always lie on a line and three leave one degree of freedom, with an interval twelve
#: standard errors wide: of fewer than these nothing is said.
MINIMUM_VISITS: Final = 4
#: A rate per year from less than half a year would be mostly extrapolation.
MINIMUM_SPAN_YEARS: Final = 0.5
#: How sure the interval of a slope is, in percent.
CONFIDENCE_PERCENT: Final = 95
_UPPER_QUANTILE: Final = 0.5 + CONFIDENCE_PERCENT / 200
#: A line has a slope and a height.
_PARAMETERS: Final = 2


class NoSlope(StrEnum):
    """Why no slope is given."""

    TOO_FEW_VISITS = "too_few_visits"
    SPAN_TOO_SHORT = "span_too_short"


@dataclass(frozen=True)
class Line:
    """A straight line through the visits of one run.

    Attributes
    ----------
    visits
        How many it was fitted to.
    first_years, last_years
        Times of the first and last of them.
    value_at_first
        Height of the line at the first visit, in the unit of the values.
    slope_per_year
        In that unit per year.
    lower_per_year, upper_per_year
        Limits of the slope's 95 % interval.
    residual_sd
        Standard deviation of the values around the line.
    """

    visits: int
    first_years: float
    last_years: float
    value_at_first: float
    slope_per_year: float
    lower_per_year: float
    upper_per_year: float
    residual_sd: float

    @property
    def value_at_last(self) -> float:
        """Height of the line at the last visit."""
        return self.value_at_first + self.slope_per_year * (self.last_years - self.first_years)


def fit_line(years: Sequence[float], values: Sequence[float]) -> Line | NoSlope:
    """Fit a line by ordinary least squares; the interval is that of Student's t.

    Parameters
    ----------
    years
        When each visit was, in any order, one number a visit.
    values
        The index at each visit.

    Returns
    -------
    Line or NoSlope
        The line, or why there is none.

    Raises
    ------
    ValueError
        If a number is not finite, or there are more of one than of the other.
    """
    x, y = np.asarray(years, np.float64), np.asarray(values, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError("A trend needs one value for each visit.")
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise ValueError("A visit without a value or a time has no place in a trend.")
    if x.size < MINIMUM_VISITS:
        return NoSlope.TOO_FEW_VISITS
    if np.ptp(x) < MINIMUM_SPAN_YEARS:
        return NoSlope.SPAN_TOO_SHORT
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / spread
    residuals = y - y.mean() - slope * centred
    freedom = x.size - _PARAMETERS
    variance = float(residuals @ residuals) / freedom
    half = float(stdtrit(freedom, _UPPER_QUANTILE)) * (variance / spread) ** 0.5
    return Line(
        visits=int(x.size),
        first_years=float(x.min()),
        last_years=float(x.max()),
        value_at_first=float(y.mean() + slope * centred.min()),
        slope_per_year=slope,
        lower_per_year=slope - half,
        upper_per_year=slope + half,
        residual_sd=variance**0.5,
    )

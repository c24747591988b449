"""The axes of a trend: from years and values to places in a drawing, and where the ticks are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.trends.telling import years_of

#: A part of the axis left free at each of its ends.
_MARGIN: Final = 0.06
_LEAST_YEARS: Final = 1.0
_MOST_TICKS: Final = 6
#: Steps people count in, within a power of ten.
_STEPS: Final = (1, 2, 5, 10)
#: Months between the ticks of a short time.
_MONTH_STEPS: Final = (1, 2, 3, 6)
_MONTHS_A_YEAR: Final = 12
#: Longer times have ticks at years alone.
_YEARS_OF_MONTHS: Final = 2.5


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in the drawing's units, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """A linear axis: `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value lies, to a tenth of a unit of the drawing."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def time_scale(years: Sequence[float], start: float, end: float) -> Scale:
    """Return the axis of these moments, in years since 2000; a year at least."""
    first, last = (min(years), max(years)) if years else (0.0, 1.0)
    lacking = max(_LEAST_YEARS - (last - first), 0.0) / 2
    first, last = first - lacking, last + lacking
    margin = (last - first) * _MARGIN
    return Scale(first - margin, last + margin, start, end)


def value_scale(values: Sequence[float], least_span: float, start: float, end: float) -> Scale:
    """Return the axis of these values, larger ones higher, `least_span` at least."""
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    lacking = max(least_span - (high - low), 0.0) / 2
    low, high = low - lacking, high + lacking
    margin = (high - low) * _MARGIN
    return Scale(low - margin, high + margin, start, end)


def value_ticks(scale: Scale) -> list[Tick]:
    """Return ticks at round values."""
    step = _step((scale.high - scale.low) / _MOST_TICKS)
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    numbers = (number * step for number in range(first, last + 1))
    return [Tick(scale.at(value), f"{value + 0:g}".replace("-", "−")) for value in numbers]


def time_ticks(scale: Scale) -> list[Tick]:
    """Return ticks at the beginnings of years or months."""
    if scale.high - scale.low > _YEARS_OF_MONTHS:
        return _year_ticks(scale)
    return _month_ticks(scale)


def _year_ticks(scale: Scale) -> list[Tick]:
    step = max(int(_step((scale.high - scale.low) / _MOST_TICKS)), 1)
    first, last = _year(scale.low) // step * step, _year(scale.high)
    moments = [(year, years_of(datetime(year, 1, 1, tzinfo=UTC))) for year in _range(first, last)]
    return [
        Tick(scale.at(at), str(year))
        for year, at in moments
        if year % step == 0 and scale.low <= at <= scale.high
    ]


def _month_ticks(scale: Scale) -> list[Tick]:
    months = (scale.high - scale.low) * _MONTHS_A_YEAR
    step = next((s for s in _MONTH_STEPS if months / s <= _MOST_TICKS), _MONTH_STEPS[-1])
    first, last = _year(scale.low), _year(scale.high)
    starts = [
        datetime(year, month, 1, tzinfo=UTC)
        for year in _range(first, last)
        for month in range(1, _MONTHS_A_YEAR + 1, step)
    ]
    places = [(start, years_of(start)) for start in starts]
    return [
        Tick(scale.at(at), f"{start:%Y-%m}")
        for start, at in places
        if scale.low <= at <= scale.high
    ]


def _range(first: int, last: int) -> range:
    return range(max(first, 1), last + 1)


def _year(years: float) -> int:
    return 2000 + math.floor(years)


def _step(least: float) -> float:
    power = 10 ** math.floor(math.log10(least))
    # Rounded, so that a step of 1 is not missed by the last digit.
    return float(next(step for step in _STEPS if step * power >= least * (1 - 1e-9)) * power)

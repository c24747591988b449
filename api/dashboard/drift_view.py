"""How inputs and outputs of each model drift from month to month, device by device, as drawn."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from api.dashboard.list_words import number, percent
from api.dashboard.translation import gettext, to_translate
from api.dashboard.trend_axes import Scale, Tick, value_scale, value_ticks
from api.dashboard.trend_shapes import Frame, outline
from core.monthly_figures import MonthFigures
from core.values.scan import Device

FRAME: Final = Frame(width=270, height=124, left=38, right=262, top=10, bottom=100)
#: Half the size of a mark, in units of the drawing.
_RADIUS: Final = 3.0
#: Models and devices that are drawn, those with most scans; the API tells all.
MOST_SERIES: Final = 12


@dataclass(frozen=True)
class _Metric:
    """What is followed: its name, its value of a month, its words, and how much of it is drawn.

    Attributes
    ----------
    least_span
        Of the axis; all of it, from 0 on, where `is_share`.
    """

    name: str
    value: Callable[[MonthFigures], float | None]
    words: Callable[[float], str]
    least_span: float
    is_share: bool = False
    scale: float = 1.0

    def axis(self, values: Sequence[float]) -> Scale:
        """Return the axis of these values."""
        if self.is_share:
            return Scale(0.0, self.least_span, FRAME.bottom, FRAME.top)
        return value_scale(values, self.least_span, FRAME.bottom, FRAME.top)


def _not_assessable(figures: MonthFigures) -> float | None:
    share = figures.gradable_share
    return None if share is None else 1 - share


_METRICS: Final = (
    _Metric(to_translate("Not assessable, %"), _not_assessable, percent, 100.0, True, 100.0),
    _Metric(
        to_translate("Mean quality"), lambda f: f.quality_mean, lambda v: number(v, 2), 1.0, True
    ),
    _Metric(to_translate("Mean RNFL, µm"), lambda f: f.rnfl_mean_um, number, 30.0),
    _Metric(to_translate("Mean MD, dB"), lambda f: f.mean_deviation_db, number, 8.0),
)


@dataclass(frozen=True)
class DriftMark:
    """One month as drawn."""

    path: str
    label: str


@dataclass(frozen=True)
class DriftChart:
    """One figure from month to month."""

    name: str
    frame: Frame
    value_ticks: tuple[Tick, ...]
    time_ticks: tuple[Tick, ...]
    line: str
    marks: tuple[DriftMark, ...]


@dataclass(frozen=True)
class DriftSeries:
    """One version of a model on the scans of one device.

    Attributes
    ----------
    months
        The newest first, for a table.
    """

    model: str
    device: Device
    charts: tuple[DriftChart, ...]
    months: tuple[MonthFigures, ...]

    @property
    def results(self) -> int:
        """How many results it is made from."""
        return sum(month.results for month in self.months)


def drift_view(
    figures: Sequence[MonthFigures], months: Sequence[str], model: str | None = None
) -> list[DriftSeries]:
    """Return the series with most results first.

    Parameters
    ----------
    model
        Only of this one, as `NAME VERSION`; None for all.
    """
    gathered: dict[tuple[str, Device], list[MonthFigures]] = defaultdict(list)
    for one in figures:
        if model is None or one.model == model:
            gathered[one.model, one.device].append(one)
    found = [
        DriftSeries(
            name,
            device,
            charts=tuple(_chart(metric, by_month, months) for metric in _METRICS),
            months=tuple(reversed(by_month)),
        )
        for (name, device), by_month in gathered.items()
    ]
    return sorted(found, key=lambda series: -series.results)[:MOST_SERIES]


def _chart(metric: _Metric, figures: Sequence[MonthFigures], months: Sequence[str]) -> DriftChart:
    known = [(one, value) for one in figures if (value := metric.value(one)) is not None]
    values = [value * metric.scale for _, value in known]
    axis = metric.axis(values)
    time = Scale(0, max(len(months) - 1, 1), FRAME.left + 8, FRAME.right - 8)
    places = [
        (time.at(months.index(one.month)), axis.at(value))
        for (one, _), value in zip(known, values, strict=True)
    ]
    marks = [
        DriftMark(outline("circle", x, y, _RADIUS), _label(one, metric.words(value)))
        for (one, value), (x, y) in zip(known, places, strict=True)
    ]
    return DriftChart(
        name=gettext(metric.name),
        frame=FRAME,
        value_ticks=tuple(value_ticks(axis)),
        time_ticks=tuple(Tick(time.at(n), months[n]) for n in _ends(len(months))),
        line="M" + "L".join(f"{x:g} {y:g}" for x, y in places) if places else "",
        marks=tuple(marks),
    )


def _label(figures: MonthFigures, value: str) -> str:
    words = gettext("%(month)s: %(value)s, %(scans)s scans")
    return words % {"month": figures.month, "value": value, "scans": figures.results}


def _ends(count: int) -> tuple[int, ...]:
    # The first and last label would stick out of the drawing at the very ends.
    return (1, count // 2, count - 2) if count > 4 else tuple(range(count))

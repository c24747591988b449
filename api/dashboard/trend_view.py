"""The trends of both eyes as a page draws them: on the same axes, so that they can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeGuard

from api.dashboard import trend_words
from api.dashboard.trend_axes import (
    Scale,
    Tick,
    time_scale,
    time_ticks,
    value_scale,
    value_ticks,
)
from api.dashboard.trend_shapes import LARGE, RADIUS, SMALL, Frame, outline, shape_of, turn
from api.dashboard.words import day
from core.perimetry.trend import Line, NoSlope
from core.trends.result import DRAWABLE_YEARS, SECTORS, Index, MeasuredVisit, Place, TrendResult
from core.trends.telling import EyeTrend, Run, years_of

#: Span of the value axis at least: less would make noise look like a change.
_LEAST_SPAN: Final = {Index.MEAN_DEVIATION: 6.0, Index.RNFL_MEAN: 20.0}
_LEAST_SECTOR_SPAN: Final = 40.0
#: Drawn though nothing of them is fitted.
_SHOWN_BESIDE: Final = (Place.WITHHELD, Place.AMENDED, Place.ANOTHER_COUNTS)
_WITHOUT_VALUE: Final = (Place.NOT_ASSESSABLE, Place.FAILED)


@dataclass(frozen=True)
class Mark:
    """One result, or one measured field, as drawn.

    Attributes
    ----------
    path
        Its outline, for SVG.
    kind
        Its place in the trend, or `measured`.
    run
        Number of its run, counted from 1 in turns of the shapes; 0 where it is in none.
    """

    path: str
    kind: str
    run: int
    label: str
    link: str


@dataclass(frozen=True)
class DrawnLine:
    """The line of a run, from its first visit to its last."""

    run: int
    path: str


@dataclass(frozen=True)
class Slope:
    """What the line of a run says, in words."""

    run: Run
    slope: str
    interval: str


@dataclass(frozen=True)
class Chart:
    """One index of one eye over time."""

    index: Index
    name: str
    frame: Frame
    value_ticks: tuple[Tick, ...]
    time_ticks: tuple[Tick, ...]
    changes: tuple[Tick, ...]
    lines: tuple[DrawnLine, ...]
    marks: tuple[Mark, ...]
    slopes: tuple[Slope, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn."""
        return not self.marks


@dataclass(frozen=True)
class EyeView:
    """One eye: its charts, and all it was drawn from."""

    trend: EyeTrend
    field: Chart
    thickness: Chart
    sectors: tuple[Chart, ...]


@dataclass(frozen=True)
class _Axes:
    """The axes that both eyes share."""

    frame: Frame
    time: Scale
    value: Scale


def eyes_view(trends: Sequence[EyeTrend]) -> tuple[EyeView, ...]:
    """Return the trends of a patient's eyes as drawn."""
    return tuple(
        EyeView(
            trend,
            field=_chart(trend, trends, Index.MEAN_DEVIATION, LARGE),
            thickness=_chart(trend, trends, Index.RNFL_MEAN, LARGE),
            sectors=tuple(_chart(trend, trends, index, SMALL) for index in SECTORS),
        )
        for trend in trends
    )


def _chart(trend: EyeTrend, trends: Sequence[EyeTrend], index: Index, frame: Frame) -> Chart:
    axes = _axes(trends, index, frame)
    ticks = time_ticks(axes.time)
    return Chart(
        index=index,
        name=trend_words.index_name(index),
        frame=frame,
        value_ticks=tuple(value_ticks(axes.value)),
        # Small drawings have room for every other one.
        time_ticks=tuple(ticks if frame is LARGE else ticks[::2]),
        changes=tuple(
            Tick(axes.time.at(years_of(change.at)), day(change.at)) for change in trend.changes
        ),
        lines=tuple(_lines(trend, index, axes)),
        marks=tuple(_marks(trend, index, axes)),
        slopes=tuple(_slopes(trend, index)),
    )


def _axes(trends: Sequence[EyeTrend], index: Index, frame: Frame) -> _Axes:
    years = [years_of(at) for trend in trends for at in _moments(trend)]
    values = [value for trend in trends for value in _values(trend, index)]
    span = _LEAST_SPAN.get(index, _LEAST_SECTOR_SPAN)
    return _Axes(
        frame,
        time_scale(years, frame.left, frame.right),
        value_scale(values, span, frame.bottom, frame.top),
    )


def _moments(trend: EyeTrend) -> Iterator[datetime]:
    for result in trend.results:
        if _is_drawable(result.acquired_at):
            yield result.acquired_at
    for visit in trend.measured:
        if _is_drawable(visit.measured_at):
            yield visit.measured_at


def _values(trend: EyeTrend, index: Index) -> Iterator[float]:
    for result in trend.results:
        value = result.value(index)
        if value is not None and result.place in {Place.COUNTED, *_SHOWN_BESIDE}:
            yield value
    if index is Index.MEAN_DEVIATION:
        yield from (v.mean_deviation_db for v in trend.measured if v.mean_deviation_db is not None)


def _is_drawable(at: datetime | None) -> TypeGuard[datetime]:
    return at is not None and at.year in DRAWABLE_YEARS


def _lines(trend: EyeTrend, index: Index, axes: _Axes) -> Iterator[DrawnLine]:
    for run in trend.runs:
        line = run.lines[index]
        if isinstance(line, Line):
            first, last = axes.time.at(line.first_years), axes.time.at(line.last_years)
            low, high = axes.value.at(line.value_at_first), axes.value.at(line.value_at_last)
            yield DrawnLine(turn(run.number), f"M{first:g} {low:g}L{last:g} {high:g}")


def _marks(trend: EyeTrend, index: Index, axes: _Axes) -> Iterator[Mark]:
    runs = {result.prediction_id: run.number for run in trend.runs for result in run.results}
    # Measured ones first: an estimate of the same day is drawn over them.
    if index is Index.MEAN_DEVIATION:
        yield from filter(None, (_measured_mark(visit, axes) for visit in trend.measured))
    for result in trend.results:
        mark = _result_mark(result, runs.get(result.prediction_id, 0), index, axes)
        if mark is not None:
            yield mark


def _result_mark(result: TrendResult, run: int, index: Index, axes: _Axes) -> Mark | None:
    if not _is_drawable(result.acquired_at):
        return None
    x = axes.time.at(years_of(result.acquired_at))
    value = result.value(index)
    if result.place in _WITHOUT_VALUE:
        # Too small a drawing to say more than where there is something.
        if axes.frame is SMALL:
            return None
        path = outline("cross", x, axes.frame.bottom - 2 * RADIUS)
        told = trend_words.place(result.place)
    elif value is not None:
        radius = RADIUS if axes.frame is LARGE else RADIUS * 0.7
        path = outline(shape_of(run or 1), x, axes.value.at(value), radius)
        told = trend_words.value(value, index)
        if result.place is not Place.COUNTED:
            told = f"{told}, {trend_words.place(result.place)}"
    else:
        return None
    label = f"{day(result.acquired_at)}: {told}"
    return Mark(path, result.place, turn(run), label, f"/predictions/{result.prediction_id}")


def _measured_mark(visit: MeasuredVisit, axes: _Axes) -> Mark | None:
    if not _is_drawable(visit.measured_at) or visit.mean_deviation_db is None:
        return None
    x, y = axes.time.at(years_of(visit.measured_at)), axes.value.at(visit.mean_deviation_db)
    told = trend_words.value(visit.mean_deviation_db, Index.MEAN_DEVIATION)
    label = f"{day(visit.measured_at)}: {told}, {trend_words.measured()}"
    path = outline("circle", x, y, RADIUS * 1.3)
    return Mark(path, "measured", 0, label, f"/v1/measured-fields/{visit.measured_field_id}")


def _slopes(trend: EyeTrend, index: Index) -> Iterator[Slope]:
    for run in trend.runs:
        line = run.lines[index]
        # A photograph has no thickness: there is nothing to say of it.
        if line is NoSlope.TOO_FEW_VISITS and all(r.value(index) is None for r in run.results):
            continue
        yield Slope(run, trend_words.slope(line, index), trend_words.interval(line, index))

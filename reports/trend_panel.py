"""The mean deviation of an eye from visit to visit, with every change marked.

No line is fitted and no rate is given: how far repeated estimates of one eye scatter has not been
measured, and estimates of two devices, models or kinds of scan are no series.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import matplotlib.dates as mdates
from matplotlib.axes import Axes

from core.values.prediction import Prediction
from core.values.report_context import EarlierEstimate
from reports import palette
from reports.canvas import drawable
from reports.scan_words import kind_words

_LEAST_SPAN_DB: Final = 6.0
#: Changes that are written out; more would cover each other, and are marked only.
_MOST_WRITTEN: Final = 3
_LABEL_LETTERS: Final = 36
#: Years of scans; an axis that reaches further has no ticks, and no end in the calendar.
_YEARS: Final = range(1900, 2200)


def dated(earlier: Sequence[EarlierEstimate]) -> tuple[EarlierEstimate, ...]:
    """Return those whose day can be drawn: devices that know none write what they like."""
    return tuple(point for point in earlier if point.acquired_at.year in _YEARS)


def trend_of(
    prediction: Prediction, earlier: Sequence[EarlierEstimate]
) -> tuple[EarlierEstimate, ...]:
    """Return the earlier estimates and, where it is one, the prediction itself as the last."""
    if prediction.acquired_at is None or prediction.deviations is None or prediction.reasons:
        return tuple(earlier)
    this = EarlierEstimate(
        prediction.acquired_at,
        prediction.deviations.mean_deviation_db,
        prediction.model,
        prediction.device,
        prediction.scan_kind,
    )
    return (*earlier, *dated([this]))


def draw_trend(axes: Axes, points: Sequence[EarlierEstimate], *, last_is_this: bool) -> None:
    """Draw the mean deviation in dB by date of the scan."""
    values = [point.mean_deviation_db for point in points]
    for before, after in pairwise(points):
        style = ":" if changes_between(before, after) else "-"
        axes.plot(
            [_day(before), _day(after)],
            [before.mean_deviation_db, after.mean_deviation_db],
            color=palette.QUIET, lw=0.8, ls=style, zorder=2,
        )  # fmt: skip
    axes.scatter([_day(p) for p in points], values, s=14, color=palette.QUIET, zorder=3)
    if last_is_this:
        axes.scatter([_day(points[-1])], values[-1:], s=30, color=palette.ACCENT, zorder=4)
    middle, span = (max(values) + min(values)) / 2, max(values) - min(values)
    half = max(_LEAST_SPAN_DB, span * 1.5) / 2
    axes.set_ylim(middle - half, middle + half)
    _mark_changes(axes, points)
    _dress(axes)


def changes_between(before: EarlierEstimate, after: EarlierEstimate) -> str:
    """Return what is another in the later one, empty where the two can be compared."""
    changes = []
    if (before.model.version, before.model.digest) != (after.model.version, after.model.digest):
        changes.append(f"model {after.model.version}")
    if before.device != after.device:
        changes.append(" ".join(filter(None, (after.device.manufacturer, after.device.model))))
    if before.scan_kind != after.scan_kind:
        changes.append(kind_words(after.scan_kind))
    return ", ".join(change or "device unknown" for change in changes)


def _mark_changes(axes: Axes, points: Sequence[EarlierEstimate]) -> None:
    changed = [
        (after, what)
        for before, after in pairwise(points)
        if (what := changes_between(before, after))
    ]
    for after, _ in changed:
        axes.axvline(_day(after), color=palette.REFUSED_INK, lw=0.7, ls="--", zorder=1)
    if len(changed) > _MOST_WRITTEN:
        return
    middle = (_day(points[0]) + _day(points[-1])) / 2
    for row, (after, what) in enumerate(changed):
        # Towards the middle, so that it stays in the panel.
        side = "left" if _day(after) < middle else "right"
        axes.text(
            _day(after), 0.97 - 0.1 * row, f" {_short(what)} ", ha=side, va="top", fontsize=5.5,
            color=palette.REFUSED_INK, transform=axes.get_xaxis_transform(),
        )  # fmt: skip


def _short(text: str) -> str:
    shown = text if len(text) <= _LABEL_LETTERS else f"{text[: _LABEL_LETTERS - 1]}…"
    return drawable(shown)


def _day(point: EarlierEstimate) -> float:
    return float(mdates.date2num(point.acquired_at))


def _dress(axes: Axes) -> None:
    locator = mdates.AutoDateLocator(minticks=2, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%Y-%m-%d"))
    axes.margins(x=0.12)
    axes.set_ylabel("MD, dB", color=palette.QUIET, fontsize=7, labelpad=2)
    axes.tick_params(colors=palette.QUIET, labelsize=6.5, length=2)
    axes.grid(color=palette.HAIRLINE, lw=0.4, alpha=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.HAIRLINE)

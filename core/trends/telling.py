"""What the results of one eye say over time, and what they do not.

A *run* holds the visits that one device took as scans of one kind and one version of one model
estimated: only those can be compared, and each run has lines of its own. A circle is measured where
the device drew it, volumes and maps at a distance from the disc of their own. A run may be
interrupted by visits of another.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from core.perimetry.trend import Line, NoSlope, fit_line
from core.trends.result import DRAWABLE_YEARS, Index, MeasuredVisit, Place, TrendResult
from core.values.laterality import Laterality
from core.values.prediction import ModelIdentity
from core.values.scan import Device, ScanKind

#: Mean length of a year of the calendar, seconds.
_YEAR_SECONDS: Final = 365.2425 * 86400
#: Times are counted from here, so that differences of years keep their digits.
_ORIGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """The visits of one device, kind of scan and version of a model, in order of time, one a day.

    Attributes
    ----------
    number
        Counts the runs of an eye from 1, by their first visits.
    scan_kind
        None where the record does not say.
    lines
        Of each index: the line, or why there is none.
    """

    number: int
    device: Device
    model: ModelIdentity
    scan_kind: ScanKind | None
    results: tuple[TrendResult, ...]
    lines: Mapping[Index, Line | NoSlope]


@dataclass(frozen=True)
class Change:
    """That a visit is of another device, model or kind of scan than the one before.

    Attributes
    ----------
    device, model
        The new one; None where it is the same as before.
    scan_kind
        The new one; None where it is the same as before, or where the record does not say.
    """

    at: datetime
    device: Device | None
    model: ModelIdentity | None
    scan_kind: ScanKind | None


@dataclass(frozen=True)
class EyeTrend:
    """One eye over time.

    Attributes
    ----------
    results
        Every standing result in order of time, those without a day last.
    is_cut
        Whether there are older ones that were not read.
    """

    laterality: Laterality
    results: tuple[TrendResult, ...]
    runs: tuple[Run, ...]
    changes: tuple[Change, ...]
    measured: tuple[MeasuredVisit, ...]
    is_cut: bool = False


def years_of(moment: datetime) -> float:
    """Return a moment as years since 2000."""
    return (moment - _ORIGIN).total_seconds() / _YEAR_SECONDS


def tell_trend(
    laterality: Laterality,
    results: Sequence[TrendResult],
    measured: Sequence[MeasuredVisit] = (),
    *,
    is_cut: bool = False,
) -> EyeTrend:
    """Return what results of one eye say.

    Parameters
    ----------
    results
        In any order, each placed by what is known of it alone: as counted where nothing speaks
        against it.
    """
    placed = _placed(results)
    counted = [result for result in placed if result.place is Place.COUNTED]
    return EyeTrend(
        laterality=laterality,
        results=tuple(placed),
        runs=_runs(counted),
        changes=_changes(counted),
        measured=tuple(sorted(measured, key=lambda one: one.measured_at or _LATEST)),
        is_cut=is_cut,
    )


def _placed(results: Sequence[TrendResult]) -> list[TrendResult]:
    """Return results in order of time, one counted for each day and run."""
    dated = [replace(r, place=Place.UNDATED) if _lacks_day(r) else r for r in results]
    best: dict[tuple[Any, ...], TrendResult] = {}
    for result in dated:
        if result.place is not Place.COUNTED:
            continue
        key = (result.day, *_comparable(result))
        if key not in best or _rank(result) > _rank(best[key]):
            best[key] = result
    visits = {result.prediction_id for result in best.values()}
    placed = [
        replace(r, place=Place.ANOTHER_COUNTS)
        if r.place is Place.COUNTED and r.prediction_id not in visits
        else r
        for r in dated
    ]
    return sorted(placed, key=_order)


def _lacks_day(result: TrendResult) -> bool:
    at = result.acquired_at
    return result.place is Place.COUNTED and (at is None or at.year not in DRAWABLE_YEARS)


def _rank(result: TrendResult) -> tuple[Any, ...]:
    """Return what puts the result that counts last, as for the eyes of a study."""
    return (
        result.scan_kind is not ScanKind.FUNDUS,
        result.acquired_at,
        result.quality_score,
        result.predicted_at,
        result.prediction_id,
    )


def _order(result: TrendResult) -> tuple[Any, ...]:
    return (result.acquired_at or _LATEST, result.predicted_at, result.prediction_id)


def _comparable(result: TrendResult) -> tuple[Device, ModelIdentity, ScanKind | None]:
    """Return what results must share to be of one run."""
    return result.device, result.model, result.scan_kind


def _runs(counted: Sequence[TrendResult]) -> tuple[Run, ...]:
    gathered: dict[tuple[Device, ModelIdentity, ScanKind | None], list[TrendResult]]
    gathered = defaultdict(list)
    for result in counted:
        gathered[_comparable(result)].append(result)
    return tuple(
        Run(number, *shared, tuple(visits), {index: _line(visits, index) for index in Index})
        for number, (shared, visits) in enumerate(gathered.items(), start=1)
    )


def _line(visits: Sequence[TrendResult], index: Index) -> Line | NoSlope:
    points = [
        (years_of(visit.acquired_at), value)
        for visit in visits
        if visit.acquired_at is not None and (value := visit.value(index)) is not None
    ]
    return fit_line([years for years, _ in points], [value for _, value in points])


def _changes(counted: Sequence[TrendResult]) -> tuple[Change, ...]:
    leading: dict[Any, TrendResult] = {}
    for result in counted:
        known = leading.get(result.day)
        if known is None or _rank(result) > _rank(known):
            leading[result.day] = result
    return tuple(
        Change(
            after.acquired_at,
            after.device if after.device != before.device else None,
            after.model if after.model != before.model else None,
            after.scan_kind if after.scan_kind != before.scan_kind else None,
        )
        for before, after in pairwise(leading.values())
        if after.acquired_at is not None and _comparable(after) != _comparable(before)
    )

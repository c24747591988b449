from datetime import UTC, datetime
from typing import Any

import pytest

from core.perimetry.trend import Line, NoSlope
from core.trends.result import Index, MeasuredVisit, Place, TrendResult
from core.trends.telling import EyeTrend, tell_trend
from core.values.laterality import Laterality
from core.values.prediction import ModelIdentity
from core.values.scan import Device, ScanKind

_OLD = ModelIdentity("retinervenet", "1.0.0", "sha256:aa")
_NEW = ModelIdentity("retinervenet", "2.0.0", "sha256:bb")
_FIRST = Device("Maker", "Scanner", "SN-1")
_SECOND = Device("Maker", "Scanner", "SN-2")


def _at(year: int, month: int = 3, hour: int = 12) -> datetime:
    return datetime(year, month, 4, hour, tzinfo=UTC)


def _result(name: str, at: datetime | None, **changes: Any) -> TrendResult:
    values: dict[str, Any] = {
        "place": Place.COUNTED,
        "predicted_at": _at(2026),
        "model": _OLD,
        "device": _FIRST,
        "scan_kind": ScanKind.CIRCLE,
        "quality_score": 0.9,
        "mean_deviation_db": -2.0,
        "rnfl_um": {Index.RNFL_MEAN: 90.0},
    }
    return TrendResult(prediction_id=name, acquired_at=at, **{**values, **changes})


def _tell(*results: TrendResult) -> EyeTrend:
    return tell_trend(Laterality.RIGHT, results)


def _places(trend: EyeTrend) -> dict[str, Place]:
    return {result.prediction_id: result.place for result in trend.results}


def test_five_visits_of_one_device_and_model_are_one_run_with_a_line() -> None:
    values = (-2.0, -3.0, -4.0, -5.0, -6.0)
    trend = _tell(
        *(_result(str(n), _at(2019 + n), mean_deviation_db=values[n]) for n in (3, 1, 4, 0, 2))
    )

    [run] = trend.runs
    line = run.lines[Index.MEAN_DEVIATION]
    assert isinstance(line, Line)
    assert line.visits == 5
    assert line.slope_per_year == pytest.approx(-1.0, abs=0.005)
    assert [result.prediction_id for result in run.results] == list("01234")
    assert trend.changes == ()
    # The index that is flat has a line of its own.
    assert run.lines[Index.RNFL_MEAN] == Line(
        5, line.first_years, line.last_years, 90.0, 0.0, 0.0, 0.0, 0.0
    )
    assert run.lines[Index.TI] is NoSlope.TOO_FEW_VISITS


def test_another_device_or_model_is_another_run_and_is_marked() -> None:
    trend = _tell(
        *(_result(f"a{n}", _at(2015 + n)) for n in range(4)),
        *(_result(f"b{n}", _at(2020 + n), device=_SECOND, mean_deviation_db=-9) for n in range(4)),
        _result("c", _at(2025), device=_SECOND, model=_NEW, mean_deviation_db=-1.0),
    )

    assert [(r.number, r.device, r.model) for r in trend.runs] == [
        (1, _FIRST, _OLD),
        (2, _SECOND, _OLD),
        (3, _SECOND, _NEW),
    ]
    lines = [run.lines[Index.MEAN_DEVIATION] for run in trend.runs]
    # Mixed, the jump of seven decibels between two devices would be a slope.
    assert [line.slope_per_year for line in lines[:2] if isinstance(line, Line)] == [0.0, 0.0]
    assert lines[2] is NoSlope.TOO_FEW_VISITS
    assert [(c.at, c.device, c.model, c.scan_kind) for c in trend.changes] == [
        (_at(2020), _SECOND, None, None),
        (_at(2025), None, _NEW, None),
    ]


def test_another_kind_of_scan_of_the_same_device_is_another_run_and_is_marked() -> None:
    kinds = (*[ScanKind.CIRCLE] * 3, *[ScanKind.VOLUME] * 2, ScanKind.THICKNESS_MAP)
    thickness_um = (75.0, 75.0, 75.0, 94.5, 94.5, 95.0)
    trend = _tell(
        *(
            _result(str(n), _at(2018 + n), scan_kind=kind, rnfl_um={Index.RNFL_MEAN: um})
            for n, (kind, um) in enumerate(zip(kinds, thickness_um, strict=True))
        )
    )

    assert [(run.scan_kind, len(run.results)) for run in trend.runs] == [
        (ScanKind.CIRCLE, 3),
        (ScanKind.VOLUME, 2),
        (ScanKind.THICKNESS_MAP, 1),
    ]
    assert {run.lines[Index.RNFL_MEAN] for run in trend.runs} == {NoSlope.TOO_FEW_VISITS}
    assert [(c.at, c.device, c.model, c.scan_kind) for c in trend.changes] == [
        (_at(2021), None, None, ScanKind.VOLUME),
        (_at(2023), None, None, ScanKind.THICKNESS_MAP),
    ]


def test_a_circle_and_a_volume_of_one_day_are_visits_of_their_own_runs() -> None:
    trend = _tell(
        _result("circle", _at(2020, hour=9)),
        _result("volume", _at(2020, hour=10), scan_kind=ScanKind.VOLUME),
    )

    assert set(_places(trend).values()) == {Place.COUNTED}
    assert trend.changes == ()


def test_devices_used_in_turn_have_a_run_each() -> None:
    trend = _tell(
        *(_result(str(n), _at(2010 + n), device=(_FIRST, _SECOND)[n % 2]) for n in range(8))
    )

    assert [[r.prediction_id for r in run.results] for run in trend.runs] == [
        list("0246"),
        list("1357"),
    ]
    assert len(trend.changes) == 7


def test_of_two_scans_of_a_day_the_better_of_the_last_counts() -> None:
    trend = _tell(
        _result("early", _at(2020, hour=9), quality_score=0.99),
        _result("late", _at(2020, hour=10), quality_score=0.5),
        _result("other device", _at(2020, hour=9), device=_SECOND),
        _result("other model", _at(2020, hour=10), model=_NEW),
    )

    assert _places(trend) == {
        "early": Place.ANOTHER_COUNTS,
        "late": Place.COUNTED,
        "other device": Place.COUNTED,
        "other model": Place.COUNTED,
    }
    # The visit is one; that two models saw it is no change.
    assert trend.changes == ()


@pytest.mark.parametrize(
    "place", [Place.WITHHELD, Place.AMENDED, Place.NOT_ASSESSABLE, Place.FAILED]
)
def test_what_must_not_be_used_is_shown_and_in_no_line(place: Place) -> None:
    good = [_result(str(n), _at(2019 + n)) for n in range(4)]

    trend = _tell(*good, _result("bad", _at(2022, 9), place=place, mean_deviation_db=-30.0))

    [run] = trend.runs
    assert _places(trend)["bad"] is place
    assert "bad" not in {result.prediction_id for result in run.results}
    line = run.lines[Index.MEAN_DEVIATION]
    assert isinstance(line, Line)
    assert line.slope_per_year == 0.0


@pytest.mark.parametrize(
    "at", [None, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)]
)
def test_scan_without_a_possible_day_is_in_no_run(at: datetime | None) -> None:
    trend = _tell(_result("1", _at(2020)), _result("2", at))

    assert _places(trend) == {"1": Place.COUNTED, "2": Place.UNDATED}
    assert [len(run.results) for run in trend.runs] == [1]


def test_visit_without_age_counts_for_thickness_alone() -> None:
    results = [_result(str(n), _at(2019 + n)) for n in range(4)]
    ageless = _result("ageless", _at(2023), mean_deviation_db=None)

    [run] = _tell(*results, ageless).runs

    visits = {i: run.lines[i] for i in (Index.MEAN_DEVIATION, Index.RNFL_MEAN)}
    assert [line.visits for line in visits.values() if isinstance(line, Line)] == [4, 5]


def test_measured_fields_are_told_in_order_of_time() -> None:
    measured = [MeasuredVisit(n, at, "24-2", "", -1.0, None) for n, at in enumerate((None, _at(9)))]

    trend = tell_trend(Laterality.LEFT, [], measured)

    assert [one.measured_field_id for one in trend.measured] == [1, 0]
    assert (trend.runs, trend.changes, trend.results) == ((), (), ())

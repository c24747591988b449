from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from api.dashboard.trend_shapes import outline, shape_of
from api.dashboard.trend_view import Chart, eyes_view
from core.trends.result import Index, MeasuredVisit, Place, TrendResult
from core.trends.telling import tell_trend
from core.values.laterality import Laterality
from core.values.prediction import ModelIdentity
from core.values.scan import Device, ScanKind

_MODEL = ModelIdentity("retinervenet", "1.0.0", "sha256:aa")


def _result(number: int, **changes: Any) -> TrendResult:
    values: dict[str, Any] = {
        "place": Place.COUNTED,
        "acquired_at": datetime(2019 + number, 3, 4, tzinfo=UTC),
        "predicted_at": datetime(2026, 3, 4, tzinfo=UTC),
        "model": _MODEL,
        "device": Device("Maker", "Scanner", "SN-1"),
        "scan_kind": ScanKind.CIRCLE,
        "quality_score": 0.9,
        "mean_deviation_db": -2.0 - number,
        "rnfl_um": {Index.RNFL_MEAN: 90.0 - number},
    }
    return TrendResult(prediction_id=f"p{number}", **{**values, **changes})


def _charts(
    right: Sequence[TrendResult],
    left: Sequence[TrendResult] = (),
    measured: Sequence[MeasuredVisit] = (),
) -> tuple[Chart, Chart]:
    trends = [
        tell_trend(Laterality.RIGHT, right, measured),
        tell_trend(Laterality.LEFT, left),
    ]
    first, second = eyes_view(trends)
    return first.field, second.field


def test_both_eyes_are_drawn_on_the_same_axes() -> None:
    right, left = _charts(
        [_result(n) for n in range(5)], [_result(n, mean_deviation_db=-20.0) for n in range(2)]
    )

    assert right.value_ticks == left.value_ticks
    assert right.time_ticks == left.time_ticks


def test_each_run_has_a_shape_and_a_line_of_its_own() -> None:
    other = {"device": Device("Maker", "Scanner", "SN-2"), "mean_deviation_db": -9.0}
    right, _ = _charts(
        [*(_result(n) for n in range(4)), *(_result(n, **other) for n in range(4, 9))]
    )

    assert [line.run for line in right.lines] == [1, 2]
    assert [mark.run for mark in right.marks] == [1] * 4 + [2] * 5
    assert len(right.changes) == 1
    assert [slope.slope for slope in right.slopes] == ["−1.00 dB/year", "0.00 dB/year"]
    assert right.slopes[1].interval == "95 % interval 0.00 to 0.00"


def test_what_is_in_no_line_is_marked_as_what_it_is() -> None:
    right, _ = _charts(
        [
            _result(0),
            _result(1, place=Place.WITHHELD),
            _result(2, place=Place.NOT_ASSESSABLE, mean_deviation_db=None, rnfl_um={}),
            _result(3, acquired_at=None),
        ],
        measured=[
            MeasuredVisit(7, datetime(2020, 1, 1, tzinfo=UTC), "24-2", "", -4.0, -5.0),
            MeasuredVisit(8, datetime(2020, 1, 1, tzinfo=UTC), "10-2", "", None, -5.0),
        ],
    )

    assert [(mark.kind, mark.run, mark.link) for mark in right.marks] == [
        ("measured", 0, "/v1/measured-fields/7"),
        ("counted", 1, "/predictions/p0"),
        ("withheld", 0, "/predictions/p1"),
        ("not_assessable", 0, "/predictions/p2"),
    ]
    assert right.marks[2].label == "2020-03-04: −3.0 dB, rejected by a person"
    assert [slope.slope for slope in right.slopes] == ["no slope: fewer than 4 visits"]


def test_a_photograph_says_nothing_of_thickness() -> None:
    trend = tell_trend(Laterality.RIGHT, [_result(n, rnfl_um={}) for n in range(5)])

    [eye] = eyes_view([trend])

    assert eye.thickness.is_empty
    assert eye.thickness.slopes == ()
    assert len(eye.field.slopes) == 1


def test_eye_without_results_is_drawn_empty() -> None:
    right, left = _charts([])

    assert right.is_empty
    assert left.is_empty


@pytest.mark.parametrize("run", range(1, 6))
def test_shapes_come_in_turns(run: int) -> None:
    assert shape_of(run) == ("circle", "square", "diamond", "triangle", "circle")[run - 1]
    assert outline(shape_of(run), 10.0, 20.0).startswith("M")

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from api.dashboard.compare_view import compare_view, difference_shade, like_first
from core.earlier_results import EarlierResult
from core.values.laterality import Laterality
from core.values.prediction import ModelIdentity, Prediction, PredictionStatus
from core.values.scan import Device, ScanKind
from tests.builders.prediction import POINTS_DEGREE, Loss, build_prediction, build_thickness_um

_NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def _result_of(prediction: Prediction, **changes: Any) -> EarlierResult:
    assert prediction.acquired_at is not None
    assert prediction.deviations is not None
    told = EarlierResult(
        prediction.prediction_id,
        prediction.acquired_at,
        prediction.deviations.mean_deviation_db,
        prediction.model,
        prediction.device,
        prediction.scan_kind,
    )
    return replace(told, **changes)


def _pair(eye: Laterality = Laterality.RIGHT) -> tuple[Prediction, Prediction]:
    before = build_prediction(
        laterality=eye, prediction_id="before", acquired_at=_NOW - timedelta(days=365)
    )
    return build_prediction(laterality=eye, loss=Loss.ARCUATE, acquired_at=_NOW), before


@pytest.mark.parametrize(("eye", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_differences_stand_where_the_patient_sees_them(eye: Laterality, sign: int) -> None:
    now, before = _pair(eye)
    assert now.estimate is not None
    assert before.estimate is not None
    change = now.estimate.sensitivities_db - before.estimate.sensitivities_db

    view = compare_view(now, _result_of(before), before)

    assert view is not None
    assert [(cell.x, cell.y) for cell in view.cells] == [(sign * x, -y) for x, y in POINTS_DEGREE]
    deepest = view.cells[int(np.argmin(change))]
    assert deepest.difference == f"−{round(float(-change.min()))}"
    assert deepest.shade == "loss0"
    assert view.apart_days == 365


def test_change_is_this_less_the_earlier() -> None:
    now, before = _pair()
    assert now.deviations is not None
    assert before.deviations is not None

    view = compare_view(now, _result_of(before), before)

    assert view is not None
    assert view.mean_deviation_db == pytest.approx(
        now.deviations.mean_deviation_db - before.deviations.mean_deviation_db
    )
    thinner = float(np.mean(build_thickness_um(Loss.ARCUATE) - build_thickness_um()))
    assert view.mean_um == f"−{round(-thinner)}"
    assert view.sectors_um["TS"] == "0"
    assert int(view.sectors_um["TI"].replace("−", "-")) < -60


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (False, False, False)),
        ({"device": Device("Maker", "Scanner", "SN-2")}, (True, False, False)),
        ({"model": ModelIdentity("retinervenet", "1.0.0", "sha256:00")}, (False, True, False)),
        ({"scan_kind": ScanKind.VOLUME}, (False, False, True)),
    ],
)
def test_what_is_not_alike_is_told(
    changes: dict[str, Any], expected: tuple[bool, bool, bool]
) -> None:
    now, before = _pair()
    earlier = _result_of(before, **changes)

    view = compare_view(now, earlier, before)

    assert view is not None
    assert (view.is_other_device, view.is_other_model, view.is_other_kind) == expected
    assert view.is_mixed is any(expected)
    assert like_first(now, [earlier]) is (None if any(expected) else earlier)


def test_newest_that_is_alike_comes_first() -> None:
    now, before = _pair()
    other = _result_of(before, device=Device("Other"), prediction_id="other")

    found = like_first(now, [other, _result_of(before), _result_of(before, prediction_id="old")])

    assert found is not None
    assert found.prediction_id == "before"


def test_nothing_is_compared_without_two_estimates() -> None:
    now, before = _pair()
    unfit = build_prediction(status=PredictionStatus.NOT_ASSESSABLE)

    assert compare_view(now, None, None) is None
    assert compare_view(now, _result_of(before), unfit) is None
    assert compare_view(unfit, _result_of(before), before) is None


@pytest.mark.parametrize(
    ("difference", "shade"),
    [
        (-12, "loss0"),
        (-9.6, "loss0"),
        (-9.4, "loss1"),
        (-4.6, "loss1"),
        (-2, "loss2"),
        (-1.4, "same"),
        (float("nan"), "same"),
        (1.4, "same"),
        (1.6, "gain0"),
        (5, "gain1"),
        (30, "gain2"),
    ],
)
def test_shades_follow_the_number_as_it_is_written(difference: float, shade: str) -> None:
    assert difference_shade(difference) == shade

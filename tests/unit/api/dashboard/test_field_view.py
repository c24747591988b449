from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from api.dashboard.field_view import field_view, grey_scale_png
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from tests.builders.prediction import POINTS_DEGREE, Loss, build_prediction


@pytest.mark.parametrize(("eye", "sign"), [(Laterality.RIGHT, 1), (Laterality.LEFT, -1)])
def test_field_view_places_each_point_as_the_patient_sees_it(eye: Laterality, sign: int) -> None:
    prediction = build_prediction(laterality=eye, loss=Loss.ARCUATE)
    assert prediction.estimate is not None

    view = field_view(prediction)

    assert view is not None
    drawn = [(cell.x, cell.y, cell.sensitivity) for cell in view.cells]
    assert drawn == [
        (sign * x, -y, f"{round(float(value))}")
        for (x, y), value in zip(POINTS_DEGREE, prediction.estimate.sensitivities_db, strict=True)
    ]
    assert view.blind_spot == ((sign * 15, -3), (sign * 15, 3))


def test_field_view_shades_total_deviation_by_steps_of_decibel() -> None:
    prediction = build_prediction()
    assert prediction.deviations is not None
    total = np.zeros(52, np.float32)
    total[:6] = (-25, -19.6, -19.4, -9.6, -4.6, -1.6)
    prediction.deviations.total_deviation_db[:] = total

    view = field_view(prediction)

    assert view is not None
    assert [cell.shade for cell in view.cells[:7]] == [0, 0, 1, 1, 2, 3, 4]


def test_field_view_has_the_pattern_deviation_and_the_interval_of_each_point() -> None:
    prediction = build_prediction(loss=Loss.ARCUATE)
    assert prediction.deviations is not None
    assert prediction.estimate is not None
    prediction.deviations.pattern_deviation_db[:2] = (-12.4, 1.6)
    prediction.estimate.lower_db[0], prediction.estimate.upper_db[0] = 3.4, 17.6

    view = field_view(prediction)

    assert view is not None
    assert [(c.pattern_deviation, c.pattern_shade) for c in view.cells[:2]] == [
        ("−12", 1),
        ("2", 4),
    ]
    assert (view.cells[0].lower, view.cells[0].upper) == ("3", "18")


def test_field_view_says_how_wide_the_intervals_are() -> None:
    prediction = build_prediction()
    estimate = prediction.estimate
    assert estimate is not None
    estimate.lower_db[:] = 10
    estimate.upper_db[:] = 30
    estimate.upper_db[:26] = 20

    view = field_view(prediction)

    assert view is not None
    assert view.interval == "±7.5 dB"


def test_field_view_is_none_without_an_estimate() -> None:
    assert field_view(build_prediction(status=PredictionStatus.NOT_ASSESSABLE)) is None


def test_grey_scale_is_mirrored_for_a_left_eye() -> None:
    estimate = build_prediction(loss=Loss.ARCUATE).estimate
    assert estimate is not None

    right = np.array(Image.open(BytesIO(grey_scale_png(estimate, Laterality.RIGHT))))
    left = np.array(Image.open(BytesIO(grey_scale_png(estimate, Laterality.LEFT))))

    assert right.shape == (240, 240, 2)
    assert np.mean(right != left[:, ::-1]) < 0.01
    assert np.mean(right != left) > 0.1

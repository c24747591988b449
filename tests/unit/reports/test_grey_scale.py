from dataclasses import replace

import numpy as np
import pytest

from core.values.laterality import Laterality
from reports.grey_scale import SHADES, grey_scale
from tests.builders.prediction import POINTS_DEGREE, Loss, build_prediction


def pixel(x_degree: float, y_degree: float) -> tuple[int, int]:
    return int((30 - y_degree) * 4), int((30 + x_degree) * 4)


def test_shade_at_each_point_is_that_of_its_sensitivity() -> None:
    estimate = build_prediction(loss=Loss.ARCUATE).estimate
    # Away from the edges of the bands, where a pixel beside the point may fall into the next.
    middle = np.floor(estimate.sensitivities_db / 5) * 5 + 2.5
    estimate = replace(estimate, sensitivities_db=middle.astype(np.float32))

    for laterality, sign in ((Laterality.RIGHT, 1), (Laterality.LEFT, -1)):
        grey = grey_scale(estimate, laterality)
        shades = [grey[pixel(sign * x, y)] for x, y in POINTS_DEGREE]
        np.testing.assert_array_equal(shades, SHADES[(middle // 5).astype(int)])


def test_left_eye_is_the_mirror_image_of_the_right() -> None:
    estimate = build_prediction(loss=Loss.ARCUATE).estimate

    right, left = (grey_scale(estimate, eye) for eye in Laterality)

    # Floating-point sums may put a pixel on the edge of a band to either side.
    differing = np.mean(~np.isclose(right, left[:, ::-1], equal_nan=True))
    assert differing < 0.002


@pytest.mark.parametrize(
    ("place", "inside"),
    [((27, 3), False), ((-27, 3), True), ((15, 3), True), ((21, 15), False), ((0, 25), False)],
)
def test_map_ends_where_the_pattern_ends(place: tuple[float, float], inside: bool) -> None:
    grey = grey_scale(build_prediction().estimate, Laterality.RIGHT)

    assert bool(np.isfinite(grey[pixel(*place)])) is inside

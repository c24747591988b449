import numpy as np
import pytest

from core.values.laterality import Laterality
from inference.simulation.circle_course import spectralis_course
from inference.simulation.localizers import (
    circle_on_localizer,
    fovea_on_localizer,
    simulate_localizer,
)
from inference.simulation.vessels import Vessel


def mean_around(picture, row, column, radius=8):
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    near = np.hypot(rows + 0.5 - row, columns + 0.5 - column) < radius
    return picture[near].mean()


@pytest.mark.parametrize("laterality", list(Laterality))
def test_disc_is_dark_and_lies_nasal_of_a_dark_fovea(laterality):
    disc = circle_on_localizer(laterality)
    fovea_row, fovea_column = fovea_on_localizer(laterality, disc)
    picture = simulate_localizer((), laterality, np.random.default_rng(1))

    is_right_of_fovea = disc.centre_column > fovea_column
    assert is_right_of_fovea == (laterality is Laterality.RIGHT)
    half_way = mean_around(picture, disc.centre_row, (disc.centre_column + fovea_column) / 2)
    assert mean_around(picture, disc.centre_row, disc.centre_column, 40) < half_way - 30
    assert mean_around(picture, fovea_row, fovea_column) < half_way - 30


@pytest.mark.parametrize("laterality", list(Laterality))
@pytest.mark.parametrize("angle_degree", [0.0, 80.0, 200.0, 290.0])
def test_vessel_crosses_the_circle_where_its_shadow_stands(laterality, angle_degree):
    vessel = Vessel(angle_degree, width_um=160.0, bump_um=0.0, shadow=0.9, vein=True)
    course, circle = spectralis_course(laterality), circle_on_localizer(laterality)
    coordinates = circle.coordinates(course, 768)
    angles = course.tsnit_angles_degree(768, laterality)

    picture = simulate_localizer((vessel,), laterality, np.random.default_rng(2)).astype(float)
    without = simulate_localizer((), laterality, np.random.default_rng(2)).astype(float)

    row, column = np.floor(coordinates).astype(int).T
    share = picture[row, column] / without[row, column]
    nearest = np.argmin(np.abs((angles - angle_degree + 180) % 360 - 180))
    distance_columns = (np.argmin(share) - nearest + 384) % 768 - 384
    assert abs(distance_columns) <= 5
    assert share.min() < 0.75


def test_same_seed_gives_the_same_picture():
    pictures = [simulate_localizer((), Laterality.LEFT, np.random.default_rng(3)) for _ in range(2)]

    assert pictures[0].shape == (768, 768)
    assert pictures[0].dtype == np.uint8
    np.testing.assert_array_equal(*pictures)

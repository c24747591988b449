import numpy as np
import pytest

from core.values.laterality import Laterality
from inference.simulation.circle_course import Circle, CircleCourse, spectralis_course


@pytest.mark.parametrize(
    ("laterality", "quarter", "expected"),
    [
        (Laterality.RIGHT, 0, (300.0, 350.0)),
        (Laterality.RIGHT, 1, (200.0, 450.0)),
        (Laterality.RIGHT, 2, (300.0, 550.0)),
        (Laterality.RIGHT, 3, (400.0, 450.0)),
        (Laterality.LEFT, 0, (300.0, 550.0)),
        (Laterality.LEFT, 1, (200.0, 450.0)),
        (Laterality.LEFT, 2, (300.0, 350.0)),
        (Laterality.LEFT, 3, (400.0, 450.0)),
    ],
)
def test_spectralis_course_goes_temporal_superior_nasal_inferior(laterality, quarter, expected):
    circle = Circle(centre_row=300.0, centre_column=450.0, radius=100.0)

    coordinates = circle.coordinates(spectralis_course(laterality), columns=768)

    np.testing.assert_allclose(coordinates[quarter * 192], expected, atol=1e-9)


@pytest.mark.parametrize("laterality", list(Laterality))
@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("start_degree", [0.0, 77.0, 180.0, 301.5])
def test_coordinates_and_angles_tell_the_same_story(laterality, clockwise, start_degree):
    course = CircleCourse(start_degree, clockwise)
    circle = Circle(centre_row=300.0, centre_column=450.0, radius=100.0)

    angles = np.deg2rad(course.tsnit_angles_degree(768, laterality))
    row, column = circle.coordinates(course, 768).T

    towards_temporal = -1 if laterality is Laterality.RIGHT else 1
    np.testing.assert_allclose(row, 300 - 100 * np.sin(angles), atol=1e-9)
    np.testing.assert_allclose(column, 450 + towards_temporal * 100 * np.cos(angles), atol=1e-9)

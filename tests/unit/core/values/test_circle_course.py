import numpy as np
import pytest

from core.values.circle_course import CircleCourse


@pytest.mark.parametrize(("first", "step"), [(0.0, 0.5), (180.0, 0.5), (350.0, -0.5), (10.0, -2.0)])
def test_course_is_that_of_its_columns(first: float, step: float) -> None:
    angles = (first + step * np.arange(round(360 / abs(step)))) % 360

    course = CircleCourse.of(angles)

    assert course is not None
    assert course.first_degree == pytest.approx(first, abs=1e-4)
    assert course.step_degree == pytest.approx(step, abs=1e-9)
    columns = [course.column_of(float(angles[k])) for k in (1, 7, 100)]
    assert columns == pytest.approx([1, 7, 100], abs=1e-3)


def test_angle_within_a_column_belongs_to_that_column() -> None:
    course = CircleCourse(0.1, 0.5)

    assert course.column_of(0.0) == pytest.approx(-0.2)
    assert course.column_of(359.9) == pytest.approx(-0.4)
    assert course.column_of(359.8) == pytest.approx(719.4)


def test_columns_in_uneven_steps_have_no_course() -> None:
    angles = 360 * (np.arange(200) / 200) ** 1.3

    assert CircleCourse.of(angles) is None


def test_columns_that_were_rounded_to_pixels_have_one() -> None:
    angles = np.arange(768) * 360 / 768 + np.random.default_rng(1).uniform(-0.4, 0.4, 768)

    course = CircleCourse.of(angles % 360)

    assert course is not None
    assert course.step_degree == pytest.approx(360 / 768, rel=1e-3)

import numpy as np
import pytest

from core.perimetry.indices import GENERAL_HEIGHT_RANK
from core.perimetry.pattern import Y_DEGREE
from inference.simulation.wedges import WedgePatterns


@pytest.fixture(scope="module")
def patterns() -> np.ndarray:
    return WedgePatterns().draw(np.random.default_rng(1), 6000)


@pytest.fixture(scope="module")
def moderate(patterns: np.ndarray) -> np.ndarray:
    mean_db = patterns.mean(axis=1)
    return patterns[(mean_db >= -12) & (mean_db < -6)]


def test_patterns_are_as_severe_as_those_of_followed_eyes(patterns: np.ndarray) -> None:
    found_db = np.percentile(patterns.mean(axis=1), [5, 10, 25, 50, 75, 90])

    assert found_db == pytest.approx([-17.8, -13.2, -5.9, -2.2, -0.4, 0.5], abs=0.8)


def test_no_point_is_lower_than_in_the_bank(patterns: np.ndarray) -> None:
    assert patterns.shape == (6000, 52)
    assert patterns.min() >= -36
    assert patterns.max() < 9


def test_superior_field_is_worse_more_often(moderate: np.ndarray) -> None:
    above_db = moderate[:, Y_DEGREE > 0].mean(axis=1) - moderate[:, Y_DEGREE < 0].mean(axis=1)

    assert np.mean(above_db < -2) == pytest.approx(0.45, abs=0.08)
    assert np.mean(above_db > 2) == pytest.approx(0.26, abs=0.08)
    assert np.abs(above_db).mean() == pytest.approx(5.7, abs=1.0)


def test_moderate_loss_is_local_and_diffuse(moderate: np.ndarray) -> None:
    height_db = np.sort(moderate, axis=1)[:, -GENERAL_HEIGHT_RANK]

    assert moderate.std(axis=1).mean() == pytest.approx(6.6, abs=0.6)
    assert height_db.mean() == pytest.approx(-2.7, abs=0.5)


def test_patterns_differ_and_come_again_from_the_same_seed() -> None:
    first = WedgePatterns().draw(np.random.default_rng(5), 20)

    assert len(np.unique(first, axis=0)) == 20
    assert np.array_equal(first, WedgePatterns().draw(np.random.default_rng(5), 20))

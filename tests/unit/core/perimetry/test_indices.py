import numpy as np
import pytest

from core.perimetry.indices import deviations, general_height_db, mean_deviation_db
from core.perimetry.norms import NORM_DEVIATION_SD_DB, norm_db


def test_deviations_of_the_norm_are_zero() -> None:
    found = deviations(norm_db(60), 60)

    assert np.array_equal(found.total_deviation_db, np.zeros(52, np.float32))
    assert found.mean_deviation_db == 0
    assert found.pattern_standard_deviation_db == 0
    assert found.mean_sensitivity_db == pytest.approx(29.99, abs=0.005)


def test_deviations_of_a_diffuse_loss_have_no_pattern() -> None:
    found = deviations(norm_db(60) - 4, 60)

    assert found.mean_deviation_db == pytest.approx(-4)
    assert found.total_deviation_db == pytest.approx(np.full(52, -4), abs=1e-5)
    assert found.pattern_deviation_db == pytest.approx(np.zeros(52), abs=1e-5)
    assert found.pattern_standard_deviation_db == pytest.approx(0, abs=1e-6)


def test_deviations_keep_a_local_loss_in_the_pattern() -> None:
    field = norm_db(60)
    field[20] -= 15

    found = deviations(field, 60)

    assert np.argmin(found.pattern_deviation_db) == 20
    assert found.pattern_deviation_db[20] == pytest.approx(-15, abs=1e-5)
    assert np.count_nonzero(found.pattern_deviation_db) == 1


def test_general_height_is_the_seventh_largest_deviation() -> None:
    shuffled = np.random.default_rng(1).permutation(52).astype(float)

    assert general_height_db(shuffled) == 45


def test_mean_deviation_weighs_a_point_by_its_inverse_variance() -> None:
    steady, unsteady = np.argmin(NORM_DEVIATION_SD_DB), np.argmax(NORM_DEVIATION_SD_DB)
    total = np.zeros((2, 52))
    total[0, steady] = total[1, unsteady] = -10

    ratio = mean_deviation_db(total[0]) / mean_deviation_db(total[1])

    expected = (NORM_DEVIATION_SD_DB[unsteady] / NORM_DEVIATION_SD_DB[steady]) ** 2
    assert ratio == pytest.approx(expected)


def test_pattern_standard_deviation_follows_its_formula() -> None:
    total = np.random.default_rng(2).normal(-3, 4, 52)
    variance = NORM_DEVIATION_SD_DB**2
    mean = np.sum(total / variance) / np.sum(1 / variance)

    found = deviations(norm_db(70) + total, 70)

    spread = np.sum((total - mean) ** 2 / variance) / 51
    assert found.pattern_standard_deviation_db == pytest.approx(np.sqrt(variance.mean() * spread))


@pytest.mark.parametrize("field", [np.zeros(54), np.full(52, np.nan)])
def test_deviations_refuse_what_is_no_field(field: np.ndarray) -> None:
    with pytest.raises(ValueError, match="field"):
        deviations(field, 60)


def test_deviations_refuse_an_unknown_age() -> None:
    with pytest.raises(ValueError, match="age"):
        deviations(norm_db(60), float("nan"))

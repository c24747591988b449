import numpy as np
import pytest

from core.perimetry.pattern import MIRROR_INDEX, X_DEGREE, Y_DEGREE
from inference.simulation.noise import circle_noise, field_noise


@pytest.mark.parametrize("length_degree", [3.0, 12.0, 20.0])
def test_circle_noise_has_unit_variance_and_closes(length_degree: float) -> None:
    noise = circle_noise(np.random.default_rng(1), 3000, length_degree)

    assert np.std(noise) == pytest.approx(1, abs=0.03)
    neighbours = np.corrcoef(noise[:, 10], noise[:, 11])[0, 1]
    across_the_seam = np.corrcoef(noise[:, 767], noise[:, 0])[0, 1]
    assert across_the_seam == pytest.approx(neighbours, abs=0.01)
    assert abs(np.corrcoef(noise[:, 0], noise[:, 384])[0, 1]) < 0.1


def test_field_noise_is_alike_nearby_and_less_so_across_the_midline() -> None:
    noise = field_noise(np.random.default_rng(1), 20000)
    correlation = np.corrcoef(noise.T)

    same_side = np.flatnonzero((Y_DEGREE == 9) & (X_DEGREE == 3))[0]
    below_it = np.flatnonzero((Y_DEGREE == 3) & (X_DEGREE == 3))[0]
    across = MIRROR_INDEX[below_it]
    assert np.std(noise) == pytest.approx(1, abs=0.02)
    assert correlation[same_side, below_it] == pytest.approx(np.exp(-0.5 * (6 / 9) ** 2), abs=0.03)
    assert correlation[across, below_it] == pytest.approx(
        0.6 * np.exp(-0.5 * (6 / 9) ** 2), abs=0.03
    )

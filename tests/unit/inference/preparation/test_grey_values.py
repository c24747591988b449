from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.preparation.grey_values import standardise

ROW_UM = 3.872


def tissue() -> NDArray[np.float32]:
    """A dark picture with a bright layer and the fainter rest of a retina below it."""
    rng = np.random.default_rng(0)
    pixels = np.zeros((496, 200), np.float32)
    pixels[150:170] = rng.uniform(0.5, 0.8, (20, 200))
    pixels[170:300] = rng.uniform(0.3, 0.5, (130, 200))
    return pixels


@pytest.mark.parametrize("gain", [0.3, 1.0, 1.2])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_grey_values_do_not_depend_on_gain_and_gamma(gain: float, gamma: float) -> None:
    usual = standardise(tissue(), ROW_UM)
    changed = standardise((gain * tissue() ** gamma).astype(np.float32), ROW_UM)

    assert usual is not None
    assert changed is not None
    np.testing.assert_allclose(changed, usual, atol=2e-3)


@pytest.mark.parametrize(
    "display",
    [
        lambda pixels: np.clip((pixels - 0.1) / 0.9, 0, 1),
        lambda pixels: 1 + np.log10(np.maximum(pixels**4, 1e-3)) / 3,
    ],
    ids=["window", "three decades of a logarithm"],
)
def test_grey_values_do_not_depend_on_what_a_display_takes_from_faint_light(
    display: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> None:
    usual = standardise(tissue(), ROW_UM)
    changed = standardise(display(tissue()).astype(np.float32), ROW_UM)

    assert usual is not None
    assert changed is not None
    assert float(np.abs(changed - usual)[150:300].mean()) < 0.03


def test_grey_values_put_the_reference_depths_at_their_levels() -> None:
    standard = standardise(tissue(), ROW_UM)

    assert standard is not None
    depth_um = 496 * ROW_UM
    assert np.quantile(standard, 1 - 40 / depth_um) == pytest.approx(1.0, abs=1e-3)
    assert np.quantile(standard, 1 - 250 / depth_um) == pytest.approx(0.55, abs=1e-3)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_grey_values_of_a_plain_picture_have_no_contrast(level: float) -> None:
    assert standardise(np.full((496, 768), level, np.float32), ROW_UM) is None


def test_grey_values_a_rounding_error_below_zero_are_black() -> None:
    pixels = tissue()
    pixels[0, 0] = -1e-9

    standard = standardise(pixels, ROW_UM)

    assert standard is not None
    assert float(standard[0, 0]) == 0.0

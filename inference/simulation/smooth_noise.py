"""Random fields that vary slowly: the shapes of living tissue."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], length_px: float | Sequence[float]
) -> NDArray[np.float64]:
    """Return unit-variance noise with zero mean, correlated over `length_px`.

    The last axis closes: its end continues at its start, as a circle scan does.
    """
    white = rng.standard_normal(shape)
    modes: list[Literal["reflect", "wrap"]] = ["reflect"] * (len(shape) - 1)
    modes.append("wrap")
    field = gaussian_filter(white, length_px, mode=modes)
    return np.asarray((field - field.mean()) / field.std())

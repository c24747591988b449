"""The grain of OCT and the noise of its detector."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from inference.simulation.smooth_noise import smooth_noise

#: Size (SD) of a speckle grain in rows and columns, measured on a public Spectralis circle scan.
GRAIN_PX: Final = (1.2, 0.6)

#: Speckle that one averaged frame takes away, as shape of the gamma distribution.
SHAPE_PER_FRAME: Final = 0.45

#: Background of the detector at the top and at the bottom row, relative to full scale.
BACKGROUND_TOP: Final = 1.3e-4
BACKGROUND_BOTTOM: Final = 6e-6


def speckle(
    rng: np.random.Generator, shape: tuple[int, int], averaged_frames: int
) -> NDArray[np.float64]:
    """Return a multiplicative grain with mean 1 that falls with the number of averaged frames."""
    independent = 4 * np.pi * GRAIN_PX[0] * GRAIN_PX[1]
    wanted = max(1.0, SHAPE_PER_FRAME * averaged_frames)
    grain = rng.standard_gamma(wanted / independent, shape) * (independent / wanted)
    return np.asarray(gaussian_filter(grain, GRAIN_PX, mode=["reflect", "wrap"]))


def background(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return additive detector noise with zero mean: stripes of A-scans, less of it with depth."""
    rows, columns = shape
    depth = np.geomspace(BACKGROUND_TOP, BACKGROUND_BOTTOM, rows)[:, None]
    stripes = np.exp(0.35 * smooth_noise(rng, (columns,), 1.5))
    return np.asarray(depth * stripes * gaussian_filter1d(rng.standard_normal(shape), 0.5, axis=0))

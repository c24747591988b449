"""Grey values brought to one scale, whatever transform a device displays its signal with."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: How much of an average A-scan is brighter than the two reference levels. Depths, not shares, so
#: that the empty rows above and below the retina do not count.
_BRIGHT_UM: Final = 40.0
_TISSUE_UM: Final = 250.0
#: Where the tissue level is put, with the bright level at 1: as in a 255·I^0.25 display.
_TISSUE_LEVEL: Final = 0.55
_GAMMA_LIMITS: Final = (0.1, 4.0)
#: Below this the picture has no bright layer at all.
_DARKEST_LEVEL: Final = 1e-4


def standardise(pixels: NDArray[np.float32], row_um: float) -> NDArray[np.float32] | None:
    """Return the picture with gain and gamma undone, None where it has no contrast.

    The brightest 40 µm of an average A-scan end at 1, the brightest 250 µm at 0.55; what is
    brighter than twice the first is cut.

    Parameters
    ----------
    pixels
        float32, shape (rows, columns), 0 to 1.
    row_um
        Distance of the rows in micrometre.
    """
    depth_um = pixels.shape[0] * row_um
    shares = [1 - _BRIGHT_UM / depth_um, 1 - min(_TISSUE_UM / depth_um, 0.9)]
    bright, tissue = (float(level) for level in np.quantile(pixels, shares))
    if tissue < _DARKEST_LEVEL or bright / tissue < 1.02:
        return None
    gamma = math.log(_TISSUE_LEVEL) / math.log(tissue / bright)
    gamma = min(max(gamma, _GAMMA_LIMITS[0]), _GAMMA_LIMITS[1])
    # Averaged rows may lie a rounding error below zero, which has no power.
    standard: NDArray[np.float32] = np.clip(pixels / np.float32(bright), 0.0, 2.0)
    np.power(standard, np.float32(gamma), out=standard)
    return standard

"""Grey values brought to one scale, whatever transform a device displays its signal with."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: How much of an average A-scan is brighter than the three reference levels. Depths, not shares, so
#: that the empty rows above and below the retina do not count.
_BRIGHT_UM: Final = 40.0
_TISSUE_UM: Final = 250.0
_FAINT_UM: Final = 350.0
#: Where the tissue level is put, with the bright level at 1: as in a 255·I^0.25 display.
_TISSUE_LEVEL: Final = 0.55
#: The faint level in such a display: 0.41 in one real scan, up to 0.46 in simulated ones.
_FAINT_LEVEL: Final = 0.40
#: Limits of the exponent without an offset.
_GAMMA_LIMITS: Final = (0.1, 4.0)
#: The largest offset, in parts of the bright level: with it the power is all but an exponential.
_MOST_OFFSET: Final = 20.0
_HALVINGS: Final = 20
#: Below this the picture has no bright layer at all.
_DARKEST_LEVEL: Final = 1e-4


def standardise(pixels: NDArray[np.float32], row_um: float) -> NDArray[np.float32] | None:
    """Return the picture with gain, gamma, window and logarithm undone, None without contrast.

    The brightest 40 µm of an average A-scan end at 1, the brightest 250 µm at 0.55; what is
    brighter than twice the first is cut. Where the display takes from faint light more than a power
    does, as logarithms and windows do, an offset gives it back: the brightest 350 µm end at 0.40.

    Parameters
    ----------
    pixels
        float32, shape (rows, columns), 0 to 1.
    row_um
        Distance of the rows in micrometre.
    """
    depth_um = pixels.shape[0] * row_um
    shares = [1 - min(um / depth_um, 0.9) for um in (_BRIGHT_UM, _TISSUE_UM, _FAINT_UM)]
    bright, tissue, faint = (float(level) for level in np.quantile(pixels, shares))
    if tissue < _DARKEST_LEVEL or bright / tissue < 1.02:
        return None
    offset = _offset(tissue / bright, faint / bright)
    gamma = math.log(_TISSUE_LEVEL) / _log_level(tissue / bright, offset)
    gamma = min(max(gamma, _GAMMA_LIMITS[0]), _GAMMA_LIMITS[1] * (1 + offset))
    # Averaged rows may lie a rounding error below zero, which has no power.
    standard: NDArray[np.float32] = np.clip(pixels / np.float32(bright), 0.0, 2.0)
    if offset:
        standard = (standard + np.float32(offset)) / np.float32(1 + offset)
    np.power(standard, np.float32(gamma), out=standard)
    return np.minimum(standard, np.float32(2.0))


def _offset(tissue: float, faint: float) -> float:
    """Return what to add to levels, bright 1, so that one power puts both where they belong."""
    wanted = math.log(_FAINT_LEVEL) / math.log(_TISSUE_LEVEL)

    def too_steep(offset: float) -> bool:
        return _log_level(faint, offset) < wanted * _log_level(tissue, offset)

    if not too_steep(0.0):
        return 0.0
    low, high = 0.0, _MOST_OFFSET
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if too_steep(middle) else (low, middle)
    return high


def _log_level(level: float, offset: float) -> float:
    return math.log(max(level + offset, _DARKEST_LEVEL) / (1 + offset))

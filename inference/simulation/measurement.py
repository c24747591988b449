"""What a perimeter would have measured of a true field: test-retest noise and rounding.

Fitted to 30 glaucoma eyes with 12 weekly tests each (Artes et al. 2014, through visualFields).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: All points of one visit are off together by this SD in dB.
VISIT_SD_DB: Final = 0.56

MEASURED_LIMITS_DB: Final = (0.0, 40.0)

#: ln SD = slope·s + intercept for sensitivities from 14 dB up.
_SLOPE_PER_DB, _INTERCEPT = -0.0998, 3.312
_FIT_FROM_DB: Final = 14.0
_LARGEST_SD_DB, _SMALLEST_SD_DB = 6.8, 0.9
_LOW_SD_DB, _LOW_SLOPE = 1.8, 0.9


def measure_fields(
    rng: np.random.Generator,
    true_db: NDArray[np.floating],
    visit_sd_db: float = VISIT_SD_DB,
) -> NDArray[np.float64]:
    """Return one simulated measurement of each true field in dB, same shape (n, 52), whole dB."""
    visit = visit_sd_db * rng.standard_normal((len(true_db), 1))
    noise = retest_sd_db(true_db) * rng.standard_normal(true_db.shape)
    lowest_db, highest_db = MEASURED_LIMITS_DB
    return np.asarray(np.round(np.clip(true_db + visit + noise, lowest_db, highest_db)), np.float64)


def retest_sd_db(true_db: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the SD in dB between repeated tests of a point with that true sensitivity in dB."""
    high = np.exp(_SLOPE_PER_DB * true_db + _INTERCEPT)
    low = np.minimum(_LARGEST_SD_DB, _LOW_SD_DB + _LOW_SLOPE * true_db)
    sd_db = np.where(true_db >= _FIT_FROM_DB, high, low)
    return np.asarray(np.clip(sd_db, _SMALLEST_SD_DB, _LARGEST_SD_DB), np.float64)

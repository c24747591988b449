"""The age norm of the 24-2 field: SUNY-IU, a straight line in age for each point.

Source: SUNY-IU norms of the visualFields package (Marín-Franch & Swanson 2013), SITA Standard,
stimulus size III, 91 healthy people aged 42 to 85. Outside that range it is an extrapolation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.points import float_column

#: Ages of the people behind the norm, in years.
NORM_AGE_RANGE_YEARS: Final = (42, 85)

NORM_NAME: Final = "SUNY-IU"

#: Spread of the total deviation between healthy people in dB, shape (52,).
NORM_DEVIATION_SD_DB: Final[NDArray[np.float64]] = float_column("norm_deviation_sd_db")

_INTERCEPT_DB: Final = float_column("norm_intercept_db")
_SLOPE_DB_PER_YEAR: Final = float_column("norm_slope_db_per_year")


def norm_db(age_years: float) -> NDArray[np.float64]:
    """Return the mean sensitivity of healthy eyes of that age in dB, shape (52,), right-eye."""
    return _INTERCEPT_DB + _SLOPE_DB_PER_YEAR * age_years


def norms_db(age_years: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the norm in dB of each age, shape (n, 52), for ages of shape (n,)."""
    ages = np.asarray(age_years, dtype=np.float64)[:, np.newaxis]
    return _INTERCEPT_DB + _SLOPE_DB_PER_YEAR * ages


def is_within_norm_age(age_years: float) -> bool:
    """Whether people of that age stand behind the norm, so that it is no extrapolation."""
    first, last = NORM_AGE_RANGE_YEARS
    return first <= age_years <= last

"""Deviations of a field from its age norm, and the global indices.

The indices were built for measured fields. Of an estimate, total and mean deviation are plain
arithmetic; the pattern standard deviation is not calibrated, because an estimate is smoother.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.norms import NORM_DEVIATION_SD_DB, norm_db
from core.values.prediction import FIELD_POINTS, FieldDeviations

#: The general height is the 7th largest total deviation, the 85th percentile of 52 points.
GENERAL_HEIGHT_RANK: Final = 7

_VARIANCE_DB2: Final = NORM_DEVIATION_SD_DB**2
_WEIGHTS: Final = (1 / _VARIANCE_DB2) / np.sum(1 / _VARIANCE_DB2)


def deviations(sensitivities_db: NDArray[np.floating], age_years: float) -> FieldDeviations:
    """Return how a field of 52 sensitivities in dB, right-eye order, differs from its age norm.

    Raises
    ------
    ValueError
        If the field has not 52 points, or a point or the age is not a finite number.
    """
    field_db = _checked(sensitivities_db, age_years)
    total_db = field_db - norm_db(age_years)
    mean_db = mean_deviation_db(total_db)
    return FieldDeviations(
        total_deviation_db=total_db.astype(np.float32),
        pattern_deviation_db=(total_db - general_height_db(total_db)).astype(np.float32),
        mean_sensitivity_db=float(np.mean(field_db)),
        mean_deviation_db=mean_db,
        pattern_standard_deviation_db=_pattern_standard_deviation_db(total_db, mean_db),
    )


def general_height_db(total_deviation_db: NDArray[np.floating]) -> float:
    """Return the 7th largest of 52 total deviations, in dB."""
    return float(np.sort(total_deviation_db)[-GENERAL_HEIGHT_RANK])


def mean_deviation_db(total_deviation_db: NDArray[np.floating]) -> float:
    """Return the mean of 52 total deviations in dB, weighted by inverse healthy variance."""
    return float(np.sum(_WEIGHTS * total_deviation_db))


def mean_deviations_db(total_deviation_db: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean deviation of many fields in dB, shape (n,), for deviations (n, 52)."""
    return np.asarray(total_deviation_db @ _WEIGHTS, dtype=np.float64)


def _pattern_standard_deviation_db(total_db: NDArray[np.float64], mean_db: float) -> float:
    spread = np.sum((total_db - mean_db) ** 2 / _VARIANCE_DB2) / (FIELD_POINTS - 1)
    return float(np.sqrt(np.mean(_VARIANCE_DB2) * spread))


def _checked(sensitivities_db: NDArray[np.floating], age_years: float) -> NDArray[np.float64]:
    field_db = np.asarray(sensitivities_db, dtype=np.float64)
    if field_db.shape != (FIELD_POINTS,):
        raise ValueError(
            f"A 24-2 field has {FIELD_POINTS} points; this one has shape {field_db.shape}."
        )
    if not np.all(np.isfinite(field_db)):
        raise ValueError(
            "A field with missing points has no indices; leave it out or fill it first."
        )
    if not np.isfinite(age_years):
        raise ValueError("Deviations need the age in years; it is missing.")
    return field_db

"""How far an estimated field lies from a measured one of the same eye."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.perimetry.indices import mean_deviation_db
from core.perimetry.norms import norm_db


@dataclass(frozen=True)
class FieldAgreement:
    """An estimate beside a measurement, all 52 points; differences are estimate less measurement.

    Attributes
    ----------
    differences_db
        float32, shape (52,), right-eye order.
    mean_absolute_error_db, mean_difference_db
        Over the 52 points.
    mean_deviation_difference_db
        Both mean deviations by our own norm: the device's own, by another norm, is not comparable.
        None where the age is unknown.
    baseline_mean_absolute_error_db
        Of the trivial guess, the normal field of that age; an estimate that is no better says
        nothing of this eye. None where the age is unknown.
    """

    differences_db: NDArray[np.float32]
    mean_absolute_error_db: float
    mean_difference_db: float
    mean_deviation_difference_db: float | None
    baseline_mean_absolute_error_db: float | None


def compare_fields(
    estimated_db: NDArray[np.float32], measured_db: NDArray[np.float32], age_years: float | None
) -> FieldAgreement:
    """Compare two fields of 52 sensitivities in dB, right-eye order."""
    difference = estimated_db.astype(np.float64) - measured_db
    mean_deviation = baseline = None
    if age_years is not None:
        normal = norm_db(age_years)
        # The norm cancels out of the difference of the two mean deviations; its weights do not.
        mean_deviation = mean_deviation_db(difference)
        baseline = float(np.mean(np.abs(normal - measured_db)))
    return FieldAgreement(
        differences_db=difference.astype(np.float32),
        mean_absolute_error_db=float(np.mean(np.abs(difference))),
        mean_difference_db=float(np.mean(difference)),
        mean_deviation_difference_db=mean_deviation,
        baseline_mean_absolute_error_db=baseline,
    )

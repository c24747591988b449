"""How far predicted fields are from one measurement of each simulated eye."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.indices import mean_deviations_db
from inference.model_card import Figures
from inference.simulation.eyes import SimulatedEyes
from inference.simulation.severity import severity

#: In the order of `severity`.
SEVERITIES: Final = ("early", "moderate", "advanced")


def figures_of(
    predictor: str, fields_db: NDArray[np.floating], eyes: SimulatedEyes, measured_on: str = ""
) -> Figures:
    """Return the figures of fields, shape (n, 52), dB, in the order of the eyes."""
    misses_db = np.asarray(fields_db - eyes.measured_db, dtype=np.float64)
    early_db, moderate_db, advanced_db = _by_severity(np.abs(misses_db), eyes)
    return Figures(
        predictor=predictor,
        mae_db=_rounded(np.mean(np.abs(misses_db))),
        rmse_db=_rounded(np.sqrt(np.mean(misses_db**2))),
        mean_sensitivity_mae_db=_rounded(np.mean(np.abs(misses_db.mean(axis=1)))),
        early_mae_db=early_db,
        moderate_mae_db=moderate_db,
        advanced_mae_db=advanced_db,
        mean_deviation_mae_db=_rounded(np.mean(np.abs(mean_deviations_db(misses_db)))),
        measured_on=measured_on,
    )


def location_mae_db(fields_db: NDArray[np.floating], eyes: SimulatedEyes) -> tuple[float, ...]:
    """Return the mean absolute error at each of the 52 points in dB, right-eye order."""
    return tuple(_rounded(value) for value in np.mean(np.abs(fields_db - eyes.measured_db), axis=0))


def coverage(
    lower_db: NDArray[np.floating],
    upper_db: NDArray[np.floating],
    measured_db: NDArray[np.floating],
) -> float:
    """Return the share of measured points inside their interval, 0 to 1."""
    return float(np.mean((measured_db >= lower_db) & (measured_db <= upper_db)))


def coverage_by_severity(
    lower_db: NDArray[np.floating], upper_db: NDArray[np.floating], eyes: SimulatedEyes
) -> tuple[float, float, float] | None:
    """Return the same for early, moderate and advanced loss; None where a band has no eye."""
    inside = (eyes.measured_db >= lower_db) & (eyes.measured_db <= upper_db)
    early, moderate, advanced = _by_severity(inside.astype(np.float64), eyes)
    if early is None or moderate is None or advanced is None:
        return None
    return early, moderate, advanced


def severity_shares(eyes: SimulatedEyes) -> tuple[float, ...]:
    """Return the share of the eyes with early, moderate and advanced loss."""
    levels = severity(eyes.mean_deviation_db)
    return tuple(_rounded(np.mean(levels == level)) for level in range(len(SEVERITIES)))


def _by_severity(values: NDArray[np.float64], eyes: SimulatedEyes) -> tuple[float | None, ...]:
    levels = severity(eyes.mean_deviation_db)
    found = [values[levels == level] for level in range(len(SEVERITIES))]
    return tuple(_rounded(here.mean()) if len(here) else None for here in found)


def _rounded(value: np.floating | float) -> float:
    return round(float(value), 4)

"""Measures a model for photographs on simulated ones of patients it never saw."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.baselines import age_norm, location_mean
from inference.figures import coverage
from inference.model_card import Figures, ModelCard
from inference.predictor import Predictor
from inference.simulation.eyes import SimulatedEyes
from inference.simulation.fundus_pairs import FundusPairs

_MODERATE_BELOW_DB: Final = -6.0
_ADVANCED_BELOW_DB: Final = -12.0
_MEASURED_ON: Final = "simulated photographs of test patients"


def evaluate_fundus(
    card: ModelCard, training: FundusPairs, evaluation: FundusPairs, device: str = "cpu"
) -> tuple[tuple[Figures, ...], float]:
    """Return the figures of ceiling, model and baselines, and the coverage of the intervals.

    Parameters
    ----------
    training
        What the baselines may know.
    evaluation
        Photographs of patients neither the model nor the baselines have seen.
    """
    eyes = evaluation.eyes
    estimates = Predictor.load(card, device).predict(evaluation.rings, eyes.age_years)
    estimated_db = np.stack([estimate.sensitivities_db for estimate in estimates])
    lower_db = np.stack([estimate.lower_db for estimate in estimates])
    upper_db = np.stack([estimate.upper_db for estimate in estimates])
    figures = (
        _figures("true field (ceiling)", eyes.true_db, eyes),
        _figures(f"{card.name} {card.version}", estimated_db, eyes),
        _figures("age norm for everyone", age_norm(eyes), eyes),
        _figures("location mean", location_mean(training.eyes, eyes), eyes),
    )
    return figures, round(coverage(lower_db, upper_db, eyes.measured_db), 4)


def _figures(predictor: str, fields_db: NDArray[np.floating], eyes: SimulatedEyes) -> Figures:
    misses_db = np.asarray(fields_db - eyes.measured_db, dtype=np.float64)
    mean_db = eyes.mean_deviation_db
    early, advanced = mean_db >= _MODERATE_BELOW_DB, mean_db < _ADVANCED_BELOW_DB
    return Figures(
        predictor=predictor,
        mae_db=_rounded(np.mean(np.abs(misses_db))),
        rmse_db=_rounded(np.sqrt(np.mean(misses_db**2))),
        mean_sensitivity_mae_db=_rounded(np.mean(np.abs(misses_db.mean(axis=1)))),
        early_mae_db=_mae_db(misses_db[early]),
        moderate_mae_db=_mae_db(misses_db[~early & ~advanced]),
        advanced_mae_db=_mae_db(misses_db[advanced]),
        measured_on=_MEASURED_ON,
    )


def _mae_db(misses_db: NDArray[np.float64]) -> float | None:
    return _rounded(np.mean(np.abs(misses_db))) if len(misses_db) else None


def _rounded(value: np.floating) -> float:
    return round(float(value), 4)

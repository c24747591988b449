"""Measures a model for photographs on simulated ones of patients it never saw."""

from typing import Final

import numpy as np

from inference.baselines import age_norm, location_mean
from inference.figures import coverage, figures_of
from inference.model_card import Figures, ModelCard
from inference.predictor import Predictor
from inference.simulation.fundus_pairs import FundusPairs

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
        figures_of("true field (ceiling)", eyes.true_db, eyes, _MEASURED_ON),
        figures_of(f"{card.name} {card.version}", estimated_db, eyes, _MEASURED_ON),
        figures_of("age norm for everyone", age_norm(eyes), eyes, _MEASURED_ON),
        figures_of("location mean", location_mean(training.eyes, eyes), eyes, _MEASURED_ON),
    )
    return figures, round(coverage(lower_db, upper_db, eyes.measured_db), 4)

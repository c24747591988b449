"""Measures a model on simulated eyes of patients it never saw, beside baselines and a ceiling."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.baselines import age_norm, fit_ridge, location_mean
from inference.model_card import Figures, ModelCard
from inference.predictor import Predictor
from inference.simulation.bank import Part, read_bank
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.simulation.fields import PatternSource
from inference.simulation.wedges import WedgePatterns

_MODERATE_BELOW_DB: Final = -6.0
_ADVANCED_BELOW_DB: Final = -12.0

_HEADER: Final = (
    "| predictor | MAE | RMSE | mean sensitivity | MAE, early | moderate | advanced |\n"
    "|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class EvaluationSettings:
    """On which eyes a model is measured.

    Attributes
    ----------
    bank
        The bank of real field patterns; None measures on wedge-shaped patterns instead.
    eyes
        Simulated eyes of test patients.
    baseline_eyes
        Simulated eyes of training patients the baselines are fitted to.
    seed
        Of both.
    """

    bank: Path | None
    eyes: int = 8000
    baseline_eyes: int = 20000
    seed: int = 20260


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Attributes
    ----------
    figures
        Of the ceiling, the model and the baselines, in dB.
    interval_coverage
        Share of single measurements inside the model's interval, 0 to 1.
    interval_width_db
        Median width of the interval.
    severity_shares
        Share of the eyes in the early, moderate and advanced band.
    """

    figures: tuple[Figures, ...]
    interval_coverage: float
    interval_width_db: float
    severity_shares: tuple[float, float, float]

    def as_markdown(self) -> str:
        """Return the figures as the table of docs/model.md, in dB."""
        return _HEADER + "".join(_row(figures) for figures in self.figures)


def evaluate(card: ModelCard, settings: EvaluationSettings, device: str = "auto") -> Evaluation:
    """Return how far the model and its baselines are from one simulated measurement of each eye."""
    test_rng, train_rng = np.random.default_rng(settings.seed).spawn(2)
    eyes = simulate_eyes(test_rng, settings.eyes, pattern_source(settings.bank, Part.TEST))
    training = simulate_eyes(
        train_rng, settings.baseline_eyes, pattern_source(settings.bank, Part.TRAIN)
    )
    estimates = Predictor.load(card, device).predict(eyes.thickness_um, eyes.age_years)
    estimated_db = np.stack([estimate.sensitivities_db for estimate in estimates])
    lower_db = np.stack([estimate.lower_db for estimate in estimates])
    upper_db = np.stack([estimate.upper_db for estimate in estimates])
    return Evaluation(
        figures=(
            _figures("true field (ceiling)", eyes.true_db, eyes),
            _figures(f"{card.name} {card.version}", estimated_db, eyes),
            _figures("ridge, profile and age", fit_ridge(training).predict(eyes), eyes),
            _figures("age norm for everyone", age_norm(eyes), eyes),
            _figures("location mean", location_mean(training, eyes), eyes),
        ),
        interval_coverage=coverage(lower_db, upper_db, eyes.measured_db),
        interval_width_db=float(np.median(upper_db - lower_db)),
        severity_shares=_severity_shares(eyes),
    )


def pattern_source(bank: Path | None, part: Part) -> PatternSource:
    """Return the patterns of one part of the bank's patients, or wedges where there is no bank."""
    return WedgePatterns() if bank is None else read_bank(bank, part)


def coverage(
    lower_db: NDArray[np.floating],
    upper_db: NDArray[np.floating],
    measured_db: NDArray[np.floating],
) -> float:
    """Return the share of measured points inside their interval, 0 to 1."""
    return float(np.mean((measured_db >= lower_db) & (measured_db <= upper_db)))


def _row(figures: Figures) -> str:
    values = [value for key, value in asdict(figures).items() if key != "predictor"]
    cells = ["–" if value is None else f"{value:.2f}" for value in values]
    return f"| {' | '.join([figures.predictor, *cells])} |\n"


def _figures(predictor: str, fields_db: NDArray[np.floating], eyes: SimulatedEyes) -> Figures:
    misses_db = np.asarray(fields_db - eyes.measured_db, dtype=np.float64)
    early, moderate, advanced = (_mae_db(misses_db[band]) for band in _severity_bands(eyes))
    return Figures(
        predictor=predictor,
        mae_db=_rounded(np.mean(np.abs(misses_db))),
        rmse_db=_rounded(np.sqrt(np.mean(misses_db**2))),
        mean_sensitivity_mae_db=_rounded(np.mean(np.abs(misses_db.mean(axis=1)))),
        early_mae_db=early,
        moderate_mae_db=moderate,
        advanced_mae_db=advanced,
    )


def _mae_db(misses_db: NDArray[np.float64]) -> float | None:
    return _rounded(np.mean(np.abs(misses_db))) if len(misses_db) else None


def _severity_bands(eyes: SimulatedEyes) -> tuple[NDArray[np.bool_], ...]:
    mean_db = eyes.mean_deviation_db
    early, advanced = mean_db >= _MODERATE_BELOW_DB, mean_db < _ADVANCED_BELOW_DB
    return early, ~early & ~advanced, advanced


def _severity_shares(eyes: SimulatedEyes) -> tuple[float, float, float]:
    early, moderate, advanced = (_rounded(np.mean(band)) for band in _severity_bands(eyes))
    return early, moderate, advanced


def _rounded(value: np.floating) -> float:
    return round(float(value), 4)

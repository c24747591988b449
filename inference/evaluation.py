"""Measures a model on simulated eyes of patients it never saw, beside baselines and a ceiling."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.baselines import age_norm, fit_ridge, location_mean
from inference.figures import (
    coverage,
    coverage_by_severity,
    figures_of,
    location_mae_db,
    severity_shares,
)
from inference.model_card import Figures, ModelCard
from inference.predictor import Predictor
from inference.simulation.bank import Part
from inference.simulation.eyes import SimulatedEyes
from inference.simulation.measurement import measure_fields
from inference.training_eyes import draw_eyes, from_sectors, pattern_source

#: What a row of figures was measured on.
WHOLE_PROFILES: Final = "one measurement of simulated eyes of test patients"
FROM_SECTORS: Final = "the same eyes, their profiles rebuilt from six sector means"
WITHOUT_VISIT_EFFECT: Final = "the same eyes, measured without the shared error of a visit"
VARIED_BUILD: Final = "other eyes of test patients, whose build varies on top (harder, not truer)"


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
    varied_eyes
        Simulated eyes of test patients whose build varies (`inference.simulation.anatomy`).
    seed
        Of both.
    """

    bank: Path | None
    eyes: int = 32000
    baseline_eyes: int = 20000
    varied_eyes: int = 8000
    seed: int = 20260


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Attributes
    ----------
    figures
        Of the ceiling, the model and the baselines, in dB; several tables, told apart by
        `measured_on`.
    location_mae_db
        Mean absolute error of the model at each of the 52 points, right-eye order.
    interval_coverage, interval_coverage_by_severity
        Share of single measurements inside the model's interval, 0 to 1: of all eyes, and of those
        with early, moderate and advanced loss; None where a band is empty.
    interval_width_db
        Median width of the interval.
    severity_shares
        Share of the eyes in the early, moderate and advanced band.
    """

    figures: tuple[Figures, ...]
    location_mae_db: tuple[float, ...]
    interval_coverage: float
    interval_coverage_by_severity: tuple[float, float, float] | None
    interval_width_db: float
    severity_shares: tuple[float, ...]


@dataclass(frozen=True)
class TestEyes:
    """The eyes of an evaluation, and those the baselines may know."""

    eyes: SimulatedEyes
    training: SimulatedEyes

    #: No test of ours, whatever its name.
    __test__ = False


def draw_test_eyes(settings: EvaluationSettings) -> TestEyes:
    """Return the eyes a model is measured on; the same for every model.

    Raises
    ------
    TrainingDataInvalid
        If the bank cannot be read.
    """
    test_rng, train_rng = np.random.default_rng(settings.seed).spawn(2)
    return TestEyes(
        draw_eyes(test_rng, settings.eyes, pattern_source(settings.bank, Part.TEST)),
        draw_eyes(train_rng, settings.baseline_eyes, pattern_source(settings.bank, Part.TRAIN)),
    )


def evaluate(card: ModelCard, settings: EvaluationSettings, device: str = "auto") -> Evaluation:
    """Return how far the model and its baselines are from one simulated measurement of each eye."""
    test = draw_test_eyes(settings)
    predictor = Predictor.load(card, device)
    name = f"{card.name} {card.version}"
    fields_db, lower_db, upper_db = _answers(predictor, test.eyes)
    figures = (
        *figures_of_baselines(test, WHOLE_PROFILES),
        figures_of(name, fields_db, test.eyes, WHOLE_PROFILES),
        *_from_sectors(predictor, name, test),
        *_without_visit_effect(name, fields_db, test, settings.seed),
        *_of_varied_build(predictor, name, test, settings),
    )
    return Evaluation(
        figures=figures,
        location_mae_db=location_mae_db(fields_db, test.eyes),
        interval_coverage=coverage(lower_db, upper_db, test.eyes.measured_db),
        interval_coverage_by_severity=coverage_by_severity(lower_db, upper_db, test.eyes),
        interval_width_db=float(np.median(upper_db - lower_db)),
        severity_shares=severity_shares(test.eyes),
    )


def figures_of_baselines(test: TestEyes, measured_on: str) -> tuple[Figures, ...]:
    """Return the figures of the ceiling and of what needs no network."""
    eyes = test.eyes
    fields: dict[str, NDArray[np.floating]] = {
        "true field (ceiling)": eyes.true_db,
        "location mean": location_mean(test.training, eyes),
        "age norm for everyone": age_norm(eyes),
        "ridge, profile and age": fit_ridge(test.training).predict(eyes),
    }
    return tuple(figures_of(name, found, eyes, measured_on) for name, found in fields.items())


def _from_sectors(predictor: Predictor, name: str, test: TestEyes) -> tuple[Figures, ...]:
    seen = TestEyes(from_sectors(test.eyes), from_sectors(test.training))
    ridge_db = fit_ridge(seen.training).predict(seen.eyes)
    return (
        figures_of("ridge, six sectors and age", ridge_db, seen.eyes, FROM_SECTORS),
        figures_of(name, _answers(predictor, seen.eyes)[0], seen.eyes, FROM_SECTORS),
    )


def _without_visit_effect(
    name: str, fields_db: NDArray[np.float32], test: TestEyes, seed: int
) -> tuple[Figures, ...]:
    """Return the figures as studies have them whose simulated tests share no error."""
    steady = measure_fields(np.random.default_rng(seed), test.eyes.true_db, visit_sd_db=0.0)
    eyes = replace(test.eyes, measured_db=steady.astype(np.float32))
    fields: dict[str, NDArray[np.floating]] = {
        "true field (ceiling)": eyes.true_db,
        "location mean": location_mean(test.training, eyes),
        name: fields_db,
    }
    return tuple(
        figures_of(label, found, eyes, WITHOUT_VISIT_EFFECT) for label, found in fields.items()
    )


def _of_varied_build(
    predictor: Predictor, name: str, test: TestEyes, settings: EvaluationSettings
) -> tuple[Figures, ...]:
    patterns = pattern_source(settings.bank, Part.TEST)
    rng = np.random.default_rng((settings.seed, 1))
    eyes = draw_eyes(rng, settings.varied_eyes, patterns, varied_share=1.0)
    return (
        *figures_of_baselines(TestEyes(eyes, test.training), VARIED_BUILD),
        figures_of(name, _answers(predictor, eyes)[0], eyes, VARIED_BUILD),
    )


def _answers(
    predictor: Predictor, eyes: SimulatedEyes
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return fields and limits of the eyes, each of shape (n, 52), dB."""
    estimates = predictor.predict(eyes.thickness_um, eyes.age_years)
    return (
        np.stack([estimate.sensitivities_db for estimate in estimates]),
        np.stack([estimate.lower_db for estimate in estimates]),
        np.stack([estimate.upper_db for estimate in estimates]),
    )

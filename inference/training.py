"""Trains the reference model on simulated eyes and writes it as a folder: weights, gate, card."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from core.values.prediction import ModelIdentity
from inference.evaluation import EvaluationSettings, evaluate
from inference.fitting import Epoch, FitSettings
from inference.intervals import IntervalTable, fit_intervals
from inference.model_card import ModelCard
from inference.model_card_writer import write_card
from inference.predictor import SENSITIVITY_LIMITS_DB
from inference.profile_gate import ProfileGate
from inference.profile_gate_fit import fit_gate
from inference.recipe import RETINERVENET, inputs_of
from inference.reference_card import describe
from inference.simulation.eyes import SimulatedEyes
from inference.simulation.severity import severity
from inference.training_eyes import draw_eye_sets, partly_from_sectors
from inference.weights import weights_digest

_NAME: Final = "retinervenet"
_GATE_FILE: Final = "gate.npz"
#: How much an eye with early, moderate and advanced loss counts for the intervals. An estimate is
#: drawn towards the middle, so that intervals right on average hold too little of the rare eyes.
_INTERVAL_WEIGHTS: Final = (1.0, 1.5, 1.5)


@dataclass(frozen=True)
class TrainingSettings:
    """What to train on, for how long, and where the result goes.

    Attributes
    ----------
    destination
        Folder the model's folder `retinervenet-<version>` is made in.
    bank
        The bank of real field patterns; None trains on wedges, without any patient's data.
    eyes, held_back_eyes
        Simulated eyes to train on; and, of other patients each, to stop by and for intervals.
    evaluation_eyes
        Simulated eyes of test patients for the figures of the card.
    patience
        Epochs without a smaller validation loss after which training stops.
    curves
        Folder for TensorBoard's event files; None writes none.
    """

    destination: Path
    bank: Path | None
    version: str = "2.1.0"
    seed: int = 20261
    eyes: int = 480000
    held_back_eyes: int = 16000
    evaluation_eyes: int = 32000
    epochs: int = 4
    patience: int = 2
    batch_size: int = 512
    learning_rate: float = 4e-3
    curves: Path | None = None

    @property
    def folder(self) -> Path:
        """Where weights, gate and card are written."""
        return self.destination / f"{_NAME}-{self.version}"

    @property
    def resume_folder(self) -> Path:
        """Where the state after each epoch is kept until the model is written."""
        return self.destination / f".{_NAME}-{self.version}-unfinished"


def train(settings: TrainingSettings, progress: Callable[[Epoch], None] | None = None) -> ModelCard:
    """Train, set the intervals, measure on test patients, and write weights, gate and card.

    Training that was interrupted goes on after the last whole epoch when it is started again with
    the same settings.

    Returns
    -------
    ModelCard
        The card as written, with its figures.

    Raises
    ------
    TrainingDataInvalid
        If the bank cannot be read.
    """
    sets = draw_eye_sets(settings.seed, settings.bank, settings.eyes, settings.held_back_eyes)
    network = _fitted(settings, sets.training, sets.validation, progress)
    intervals = _intervals(network, sets.calibration)
    gate = fit_gate(
        np.random.default_rng(settings.seed), sets.training.thickness_um, sets.training.age_years
    )
    card = _measured(_saved(settings, network, intervals, gate), settings)
    shutil.rmtree(settings.resume_folder, ignore_errors=True)
    return card


def _fitted(
    settings: TrainingSettings,
    training: SimulatedEyes,
    validation: SimulatedEyes,
    progress: Callable[[Epoch], None] | None,
) -> Any:
    keras.utils.set_random_seed(settings.seed)
    network = RETINERVENET.build(_NAME)
    fitting = FitSettings(
        settings.epochs,
        settings.batch_size,
        settings.learning_rate,
        settings.patience,
        settings.resume_folder,
        settings.curves,
    )
    RETINERVENET.fit(network, partly_from_sectors(training), validation, fitting, progress)
    return network


def _intervals(network: Any, eyes: SimulatedEyes) -> IntervalTable:
    fields_db, spread_db = network.predict(inputs_of(eyes), batch_size=512, verbose=0)
    weights: NDArray[np.float64] = np.array(_INTERVAL_WEIGHTS)[severity(eyes.mean_deviation_db)]
    return fit_intervals(
        np.clip(fields_db, *SENSITIVITY_LIMITS_DB), eyes.measured_db, spread_db, weights
    )


def _saved(
    settings: TrainingSettings, network: Any, intervals: IntervalTable, gate: ProfileGate
) -> ModelCard:
    settings.folder.mkdir(parents=True, exist_ok=True)
    weights = settings.folder / f"{_NAME}.keras"
    # Never compiled, so without the optimizer's state, which triples the file.
    network.save(weights)
    gate_file = settings.folder / _GATE_FILE
    gate.save(gate_file)
    card = describe(
        ModelIdentity(_NAME, settings.version, weights_digest(weights)),
        weights,
        gate_file,
        settings.seed,
        intervals,
        has_bank=settings.bank is not None,
    )
    write_card(card)
    return card


def _measured(card: ModelCard, settings: TrainingSettings) -> ModelCard:
    asked = EvaluationSettings(
        settings.bank,
        eyes=settings.evaluation_eyes,
        baseline_eyes=min(settings.eyes, EvaluationSettings.baseline_eyes),
    )
    result = evaluate(card, asked)
    card = replace(
        card,
        figures=result.figures,
        interval_coverage=round(result.interval_coverage, 4),
        interval_coverage_by_severity=result.interval_coverage_by_severity,
        interval_width_db=round(result.interval_width_db, 2),
    )
    write_card(card)
    return card

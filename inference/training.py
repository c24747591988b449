"""Trains the reference model on simulated eyes and writes it as a folder: weights and card."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from core.values.prediction import ModelIdentity
from inference.evaluation import EvaluationSettings, evaluate, pattern_source
from inference.intervals import IntervalTable, fit_intervals
from inference.model_card import ModelCard
from inference.model_card_writer import write_card
from inference.models.register import architecture
from inference.reference_card import describe
from inference.simulation.bank import Part
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.weights import weights_digest

#: Errors up to this many dB count by their square, larger ones by their size: a floor of scattered
#: points does not rule the fit, nor is a real scotoma traded for a safe median.
_HUBER_DB: Final = 3.0
_LEARNING_RATE_START: Final = 1e-5
_WEIGHT_DECAY: Final = 1e-4
_GRADIENT_NORM: Final = 5.0
_WARM_UP_SHARE: Final = 0.05


@dataclass(frozen=True)
class TrainingSettings:
    """What to train on, for how long, and where the result goes.

    Attributes
    ----------
    destination
        Folder the model's folder `<architecture>-<version>` is made in.
    bank
        The bank of real field patterns; None trains on wedges, without any patient's data.
    eyes, held_back_eyes
        Simulated eyes to train on; and, of other patients each, to stop by and for intervals.
    evaluation_eyes
        Simulated eyes of test patients for the figures of the card.
    patience
        Epochs without a better validation error after which training stops.
    """

    destination: Path
    bank: Path | None
    architecture: str = "retinervenet"
    version: str = "1.0.0"
    seed: int = 20261
    eyes: int = 100000
    held_back_eyes: int = 8000
    evaluation_eyes: int = 8000
    epochs: int = 12
    patience: int = 4
    batch_size: int = 128
    learning_rate: float = 2e-3


@dataclass(frozen=True)
class Epoch:
    """One pass over the training eyes: errors in dB against simulated measurements."""

    number: int
    training_loss: float
    validation_mae_db: float


def train(settings: TrainingSettings, progress: Callable[[Epoch], None] | None = None) -> ModelCard:
    """Train, set the intervals, measure on test patients, and write weights and card.

    Returns
    -------
    ModelCard
        The card as written, with its figures.

    Raises
    ------
    TrainingDataInvalid
        If the bank cannot be read.
    """
    streams = np.random.default_rng(settings.seed).spawn(3)
    sizes = (settings.eyes, settings.held_back_eyes, settings.held_back_eyes)
    training, validation, calibration = (
        simulate_eyes(rng, size, pattern_source(settings.bank, part))
        for rng, size, part in zip(
            streams, sizes, (Part.TRAIN, Part.VALIDATION, Part.CALIBRATION), strict=True
        )
    )
    network = _fitted(settings, training, validation, progress)
    estimates_db = network.predict(_inputs(calibration), batch_size=512, verbose=0)
    card = _saved(settings, network, fit_intervals(estimates_db, calibration.measured_db))
    return _measured(card, settings)


def _fitted(
    settings: TrainingSettings,
    training: SimulatedEyes,
    validation: SimulatedEyes,
    progress: Callable[[Epoch], None] | None,
) -> Any:
    keras.utils.set_random_seed(settings.seed)
    network = architecture(settings.architecture).build()
    steps = settings.epochs * -(-len(training) // settings.batch_size)
    network.compile(
        optimizer=_optimizer(settings.learning_rate, steps),
        loss=keras.losses.Huber(delta=_HUBER_DB),
        metrics=[keras.metrics.MeanAbsoluteError(name="mae")],
        jit_compile=False,
    )
    # Fitted to the true field: the noise of a measurement is nothing to learn. Validated against
    # measurements, as a clinic would.
    network.fit(
        _inputs(training),
        training.true_db,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(_inputs(validation), validation.measured_db),
        validation_batch_size=512,
        callbacks=_callbacks(settings.patience, progress),
        verbose=0,
    )
    return network


def _optimizer(learning_rate: float, steps: int) -> Any:
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        _LEARNING_RATE_START,
        max(1, steps - warm_up),
        warmup_target=learning_rate,
        warmup_steps=warm_up,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY, clipnorm=_GRADIENT_NORM)


def _callbacks(patience: int, progress: Callable[[Epoch], None] | None) -> list[Any]:
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_mae", patience=patience, restore_best_weights=True
    )

    def report(number: int, logs: dict[str, float]) -> None:
        if progress is not None:
            progress(Epoch(number + 1, float(logs["loss"]), float(logs["val_mae"])))

    return [stopping, keras.callbacks.LambdaCallback(on_epoch_end=report)]


def _inputs(eyes: SimulatedEyes) -> list[Any]:
    return [eyes.thickness_um[:, :, np.newaxis], eyes.age_years[:, np.newaxis]]


def _saved(settings: TrainingSettings, network: Any, intervals: IntervalTable) -> ModelCard:
    name = settings.architecture
    folder = settings.destination / f"{name}-{settings.version}"
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}.keras"
    # Without the optimizer's state, which triples the file.
    bare = architecture(name).build()
    bare.set_weights(network.get_weights())
    bare.save(weights)
    card = describe(
        ModelIdentity(name, settings.version, weights_digest(weights)),
        weights,
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
        card, figures=result.figures, interval_coverage=round(result.interval_coverage, 4)
    )
    write_card(card)
    return card

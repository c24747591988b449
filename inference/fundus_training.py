"""Trains the model for photographs on simulated ones and writes it: weights and card."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras  # noqa: TID253 -- whoever trains has waited for it

from core.values.prediction import ModelIdentity
from inference.fitting import Epoch, optimizer
from inference.fundus_card import describe_fundus
from inference.fundus_evaluation import evaluate_fundus
from inference.intervals import IntervalTable, fit_intervals
from inference.model_card import ModelCard
from inference.model_card_writer import write_card
from inference.models.fundus_field import build_fundus_field
from inference.simulation.bank import Part
from inference.simulation.fundus_pairs import FundusPairs, simulate_fundus_pairs
from inference.training_eyes import pattern_source
from inference.weights import weights_digest

_NAME: Final = "fundus_field"
#: Errors up to this many dB count by their square, larger ones by their size.
_HUBER_DB: Final = 3.0


@dataclass(frozen=True)
class FundusTrainingSettings:
    """What to train on, for how long, and where the result goes.

    Attributes
    ----------
    destination
        Folder the model's folder `fundus_field-<version>` is made in.
    bank
        The bank of real field patterns; None trains on wedges, without any patient's data.
    eyes, validation_eyes, calibration_eyes, evaluation_eyes
        Simulated eyes to train on; and, of other patients each, to stop by, for intervals and for
        the figures of the card.
    patience
        Epochs without a better validation error after which training stops.
    """

    destination: Path
    bank: Path | None
    version: str = "1.0.0"
    seed: int = 20262
    eyes: int = 10000
    validation_eyes: int = 2000
    calibration_eyes: int = 4000
    evaluation_eyes: int = 4000
    epochs: int = 16
    patience: int = 5
    batch_size: int = 64
    learning_rate: float = 1.5e-3


@dataclass(frozen=True)
class FundusSets:
    """The simulated eyes of each part of the patients."""

    training: FundusPairs
    validation: FundusPairs
    calibration: FundusPairs
    evaluation: FundusPairs


def draw_sets(settings: FundusTrainingSettings) -> FundusSets:
    """Return the simulated photographs to train and measure on.

    Raises
    ------
    TrainingDataInvalid
        If the bank cannot be read.
    """

    def drawn(part: Part, count: int) -> FundusPairs:
        patterns = pattern_source(settings.bank, part)
        return simulate_fundus_pairs(settings.seed, part, count, patterns)

    return FundusSets(
        drawn(Part.TRAIN, settings.eyes),
        drawn(Part.VALIDATION, settings.validation_eyes),
        drawn(Part.CALIBRATION, settings.calibration_eyes),
        drawn(Part.TEST, settings.evaluation_eyes),
    )


def train_fundus(
    settings: FundusTrainingSettings,
    sets: FundusSets,
    progress: Callable[[Epoch], None] | None = None,
) -> ModelCard:
    """Train, set the intervals, measure on test patients, and write weights and card.

    Parameters
    ----------
    sets
        From `draw_sets` with the same settings.
    progress
        Told after each epoch.

    Returns
    -------
    ModelCard
        The card as written, with its figures.
    """
    network = _fitted(settings, sets, progress)
    estimates_db = network.predict(_inputs(sets.calibration), batch_size=512, verbose=0)
    intervals = fit_intervals(estimates_db, sets.calibration.eyes.measured_db)
    card = _saved(settings, network, intervals)
    figures, covered = evaluate_fundus(card, sets.training, sets.evaluation)
    card = replace(card, figures=figures, interval_coverage=covered)
    write_card(card)
    return card


def _fitted(
    settings: FundusTrainingSettings,
    sets: FundusSets,
    progress: Callable[[Epoch], None] | None,
) -> Any:
    keras.utils.set_random_seed(settings.seed)
    network = build_fundus_field()
    steps = settings.epochs * -(-len(sets.training) // settings.batch_size)
    network.compile(
        optimizer=optimizer(settings.learning_rate, steps),
        loss=keras.losses.Huber(delta=_HUBER_DB),
        metrics=[keras.metrics.MeanAbsoluteError(name="mae")],
        jit_compile=False,
    )
    # Fitted to the true field and validated against measurements, as a clinic would.
    network.fit(
        _inputs(sets.training),
        sets.training.eyes.true_db,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(_inputs(sets.validation), sets.validation.eyes.measured_db),
        validation_batch_size=512,
        callbacks=_callbacks(settings.patience, progress),
        verbose=0,
    )
    return network


def _callbacks(patience: int, progress: Callable[[Epoch], None] | None) -> list[Any]:
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_mae", patience=patience, restore_best_weights=True
    )

    def report(number: int, logs: dict[str, float]) -> None:
        if progress is not None:
            progress(Epoch(number + 1, float(logs["loss"]), float(logs["val_mae"])))

    return [stopping, keras.callbacks.LambdaCallback(on_epoch_end=report)]


def _inputs(pairs: FundusPairs) -> list[Any]:
    return [pairs.rings, pairs.eyes.age_years[:, None]]


def _saved(settings: FundusTrainingSettings, network: Any, intervals: IntervalTable) -> ModelCard:
    folder = settings.destination / f"{_NAME}-{settings.version}"
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{_NAME}.keras"
    # Without the optimizer's state, which triples the file.
    bare = build_fundus_field()
    bare.set_weights(network.get_weights())
    bare.save(weights)
    card = describe_fundus(
        ModelIdentity(_NAME, settings.version, weights_digest(weights)),
        weights,
        settings.seed,
        intervals,
        has_bank=settings.bank is not None,
    )
    write_card(card)
    return card

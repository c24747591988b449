"""Fits a network to simulated eyes: optimiser, losses, early stopping, curves and resuming."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras

from inference.errors import TrainingToolMissing

_LEARNING_RATE_START: Final = 1e-5
_WARM_UP_SHARE: Final = 0.05
_WEIGHT_DECAY: Final = 1e-3
_GRADIENT_NORM: Final = 5.0
_EVALUATION_BATCH: Final = 512


@dataclass(frozen=True)
class Epoch:
    """One pass over the training eyes: errors in dB against simulated measurements."""

    number: int
    training_loss: float
    validation_mae_db: float


@dataclass(frozen=True)
class FitSettings:
    """How long to fit, and what to keep on the way.

    Attributes
    ----------
    patience
        Epochs without a smaller validation loss after which fitting stops, at the best weights.
    resume_folder
        Where the state after each epoch is kept until the last one; fitting again with the same
        folder goes on from there. None keeps nothing.
    curves_folder
        Where TensorBoard's event files go; None writes none.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    resume_folder: Path | None = None
    curves_folder: Path | None = None


@dataclass(frozen=True)
class Examples:
    """What to fit: inputs, the target of each output by name, and what each eye counts for it."""

    inputs: list[Any]
    targets: Mapping[str, Any]
    weights: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.inputs[0])


def fit(
    network: Any,
    losses: Mapping[str, Any],
    training: Examples,
    validation: Examples,
    settings: FitSettings,
    progress: Callable[[Epoch], None] | None = None,
) -> None:
    """Fit a network in place.

    Parameters
    ----------
    losses
        By output; the mean absolute error of the first is told as the validation error.

    Raises
    ------
    TrainingToolMissing
        If curves are asked for and TensorBoard is not installed.
    """
    first = next(iter(losses))
    steps = settings.epochs * -(-len(training) // settings.batch_size)
    network.compile(
        optimizer=optimizer(settings.learning_rate, steps),
        loss=dict(losses),
        metrics={first: [keras.metrics.MeanAbsoluteError(name="mae")]},
        # XLA is left off: on processors it is slower here.
        jit_compile=False,
    )
    network.fit(
        training.inputs,
        dict(training.targets),
        sample_weight=None if training.weights is None else dict(training.weights),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(validation.inputs, dict(validation.targets)),
        validation_batch_size=_EVALUATION_BATCH,
        callbacks=_callbacks(settings, f"val_{first}_mae", progress),
        verbose=0,
    )


def optimizer(learning_rate: float, steps: int) -> Any:
    """Return AdamW with a short warm-up and a cosine decay over that many steps."""
    warm_up = max(1, round(_WARM_UP_SHARE * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        _LEARNING_RATE_START,
        max(1, steps - warm_up),
        warmup_target=learning_rate,
        warmup_steps=warm_up,
    )
    return keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY, clipnorm=_GRADIENT_NORM)


def _callbacks(
    settings: FitSettings, error: str, progress: Callable[[Epoch], None] | None
) -> list[Any]:
    def report(number: int, logs: dict[str, float]) -> None:
        if progress is not None:
            progress(Epoch(number + 1, float(logs["loss"]), float(logs[error])))

    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=settings.patience, restore_best_weights=True
    )
    callbacks = [stopping, keras.callbacks.LambdaCallback(on_epoch_end=report)]
    if settings.curves_folder is not None:
        callbacks.append(_curves(settings.curves_folder))
    if settings.resume_folder is not None:
        callbacks.append(keras.callbacks.BackupAndRestore(settings.resume_folder))
    return callbacks


def _curves(folder: Path) -> Any:
    try:
        import tensorboard  # noqa: F401, PLC0415 -- only who wants curves needs it
    except ImportError as error:
        raise TrainingToolMissing(
            "Curves need TensorBoard, which is not installed: install it from "
            "requirements/train.lock, or train without --tensorboard."
        ) from error
    return keras.callbacks.TensorBoard(folder, write_graph=False)

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.fitting import Epoch, Examples, FitSettings, fit

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Interrupted(Exception):
    """Stands for whatever stops a training in the middle."""


def small_network() -> Any:
    import keras

    keras.utils.set_random_seed(1)
    number = keras.Input((1,), name="number")
    outputs = {name: keras.layers.Dense(1, name=name)(number) for name in ("field", "limits")}
    return keras.Model([number], outputs)


def examples(count: int) -> Examples:
    numbers = np.random.default_rng(count).uniform(-1, 1, (count, 1)).astype(np.float32)
    return Examples([numbers], {"field": 3 * numbers + 1, "limits": -numbers})


def fitted(progress: Any = None, epochs: int = 3, **kept: Path | None) -> Any:
    network = small_network()
    settings = FitSettings(epochs, batch_size=16, learning_rate=0.05, patience=epochs, **kept)
    losses = {"field": "mse", "limits": "mse"}
    fit(network, losses, examples(320), examples(64), settings, progress)
    return network


def test_fitting_lowers_loss_and_error_and_tells_of_each_epoch() -> None:
    told: list[Epoch] = []

    fitted(told.append, epochs=5)

    assert [epoch.number for epoch in told] == [1, 2, 3, 4, 5]
    assert told[-1].training_loss < 0.2 * told[0].training_loss
    assert told[-1].validation_mae_db < told[0].validation_mae_db


def test_fitting_goes_on_after_the_last_whole_epoch(tmp_path: Path) -> None:
    numbers: list[int] = []

    def stop_in_the_second(epoch: Epoch) -> None:
        numbers.append(epoch.number)
        if epoch.number == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        fitted(stop_in_the_second, resume_folder=tmp_path / "state")

    fitted(lambda epoch: numbers.append(epoch.number), resume_folder=tmp_path / "state")

    assert numbers == [1, 2, 2, 3]


def test_curves_are_written_for_tensorboard(tmp_path: Path) -> None:
    fitted(epochs=1, curves_folder=tmp_path)

    folders = {path.parent.name for path in tmp_path.rglob("events*")}
    assert folders == {"train", "validation"}

from pathlib import Path

import numpy as np
import pytest

from inference.errors import TrainingDataInvalid
from inference.fitting import Epoch
from inference.model_store import ModelStore
from inference.predictor import Predictor
from inference.profile_gate import ProfileGate
from inference.training import TrainingSettings, train
from tests.golden.retinervenet import inputs

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def settings(destination: Path, **changes: object) -> TrainingSettings:
    values: dict[str, object] = {
        "destination": destination,
        "bank": None,
        "version": "0.1.0",
        "eyes": 1200,
        "held_back_eyes": 1000,
        "evaluation_eyes": 1000,
        "epochs": 2,
        "batch_size": 32,
    }
    return TrainingSettings(**(values | changes))  # type: ignore[arg-type]


# Its relative of the fundus model, which always runs, is a tenth as long.
@pytest.mark.slow
def test_training_learns_and_leaves_a_model_that_can_be_used(tmp_path: Path) -> None:
    epochs: list[Epoch] = []

    written = train(settings(tmp_path), epochs.append)

    card = ModelStore([tmp_path]).load_card("retinervenet")
    assert card == written
    assert card.version == "0.1.0"
    assert "no patients' data" in card.training_data
    assert [epoch.number for epoch in epochs] == [1, 2]
    assert epochs[1].training_loss < 0.8 * epochs[0].training_loss
    assert epochs[1].validation_mae_db < epochs[0].validation_mae_db
    (measured,) = [row for row in card.figures if row.predictor == "retinervenet 0.1.0"][:1]
    assert measured.mae_db < 5
    assert card.interval_coverage == pytest.approx(0.9, abs=0.03)
    assert card.intervals.needs_spread
    assert card.gate_path is not None
    healthy, *_, without_fibres = ProfileGate.load(card.gate_path).judge(inputs()[0])
    assert healthy is None
    assert without_fibres is not None
    assert not list(tmp_path.glob(".*"))
    fields = [found.sensitivities_db for found in Predictor.load(card, "cpu").predict(*inputs())]
    assert np.ptp(fields[0]) > 0
    assert not np.array_equal(fields[0], fields[3])


def test_training_names_a_bank_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataInvalid, match=r"bank\.npz"):
        train(settings(tmp_path, bank=tmp_path / "bank.npz"))

    assert list(tmp_path.iterdir()) == []


class Interrupted(Exception):
    """Stands for whatever stops a training in the middle."""


@pytest.mark.slow
def test_training_goes_on_after_an_interruption(tmp_path: Path) -> None:
    epochs: list[int] = []

    def stop_in_the_second(epoch: Epoch) -> None:
        epochs.append(epoch.number)
        if epoch.number == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(settings(tmp_path, epochs=3), stop_in_the_second)
    assert not (tmp_path / "retinervenet-0.1.0").exists()

    train(settings(tmp_path, epochs=3), lambda epoch: epochs.append(epoch.number))

    assert epochs == [1, 2, 2, 3]

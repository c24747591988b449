from pathlib import Path

import numpy as np
import pytest

from inference.errors import TrainingDataInvalid
from inference.fundus_evaluation import evaluate_fundus
from inference.fundus_training import FundusTrainingSettings, draw_sets, train_fundus
from inference.model_card import ModelKind
from inference.model_store import ModelStore
from inference.predictor import Predictor
from inference.simulation.bank import Part, read_bank
from inference.simulation.fundus_pairs import simulate_fundus_pairs

# Keras itself warns when it saves with TensorFlow and NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_training_learns_and_leaves_a_model_that_can_be_used(tmp_path: Path) -> None:
    settings = FundusTrainingSettings(
        tmp_path,
        bank=None,
        version="0.1.0",
        eyes=240,
        validation_eyes=60,
        calibration_eyes=120,
        evaluation_eyes=60,
        epochs=3,
        batch_size=16,
    )
    sets = draw_sets(settings)
    losses: list[float] = []

    written = train_fundus(settings, sets, lambda epoch: losses.append(epoch.training_loss))

    card = ModelStore([tmp_path]).load_card("fundus_field")
    assert card == written
    assert card.kind is ModelKind.FUNDUS
    assert "no patients' data" in card.training_data
    assert "no real photograph was ever used" in card.notice
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert card.interval_coverage == pytest.approx(0.9, abs=0.06)
    fields = Predictor.load(card, "cpu").predict(
        sets.evaluation.rings[:2], sets.evaluation.eyes.age_years[:2]
    )
    assert not np.array_equal(fields[0].sensitivities_db, fields[1].sensitivities_db)


def test_training_names_a_bank_that_is_not_there(tmp_path: Path) -> None:
    settings = FundusTrainingSettings(tmp_path / "models", tmp_path / "bank.npz")

    with pytest.raises(TrainingDataInvalid, match=r"bank\.npz"):
        draw_sets(settings)


def test_shipped_card_states_figures_that_are_found_again(shared_data: Path) -> None:
    """On fresh simulated photographs of test patients."""
    card = ModelStore().load_card("fundus_field")
    bank = shared_data / "visual-field" / "uwhvf_td_bank.npz"
    test, training = (
        simulate_fundus_pairs(20270, part, count, read_bank(bank, part))
        for part, count in ((Part.TEST, 400), (Part.TRAIN, 50))
    )

    (ceiling, model, norm, _), coverage = evaluate_fundus(card, training, test)

    assert ceiling.mae_db < model.mae_db < norm.mae_db
    stated = {figures.predictor: figures for figures in card.figures}
    assert model.mae_db == pytest.approx(stated["fundus_field 1.0.0"].mae_db, abs=0.4)
    assert coverage == pytest.approx(0.9, abs=0.025)

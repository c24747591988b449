from pathlib import Path

import numpy as np
import pytest

from inference.evaluation import Evaluation, EvaluationSettings, coverage, evaluate
from inference.model_card import Figures
from inference.model_store import ModelStore


@pytest.fixture(scope="module")
def found(shared_data: Path) -> Evaluation:
    """The shipped model on a small fresh set of eyes of test patients."""
    bank = shared_data / "visual-field" / "uwhvf_td_bank.npz"
    settings = EvaluationSettings(bank, eyes=2500, baseline_eyes=5000, seed=99)
    return evaluate(ModelStore().load_card("retinervenet", "1.0.0"), settings, "cpu")


def mae_db(found: Evaluation, predictor: str) -> float:
    return next(row.mae_db for row in found.figures if row.predictor == predictor)


def test_shipped_model_beats_every_baseline_and_not_the_ceiling(found: Evaluation) -> None:
    model = mae_db(found, "retinervenet 1.0.0")

    assert model < 0.80 * mae_db(found, "ridge, profile and age")
    assert model < 0.75 * mae_db(found, "age norm for everyone")
    assert model < 0.72 * mae_db(found, "location mean")
    # Nearer to the ceiling than this, patients of the test would have leaked into the training.
    assert model > 1.5 * mae_db(found, "true field (ceiling)")


def test_shipped_intervals_hold_nine_of_ten_measurements(found: Evaluation) -> None:
    assert found.interval_coverage == pytest.approx(0.90, abs=0.025)
    assert 3 < found.interval_width_db < 15


def test_shipped_card_states_figures_that_are_found_again(found: Evaluation) -> None:
    card = ModelStore().load_card("retinervenet", "1.0.0")

    assert [row.predictor for row in card.figures] == [row.predictor for row in found.figures]
    for stated, measured in zip(card.figures, found.figures, strict=True):
        assert measured.mae_db == pytest.approx(stated.mae_db, rel=0.06), stated.predictor


def test_evaluation_prints_a_row_per_predictor(found: Evaluation) -> None:
    lines = found.as_markdown().splitlines()

    assert len(lines) == 2 + len(found.figures)
    assert {line.count("|") for line in lines} == {8}


def test_evaluation_leaves_out_a_severity_no_eye_had() -> None:
    row = Figures("age norm", 4.123, 7.0, 3.4, early_mae_db=2.36, moderate_mae_db=8.5)

    table = Evaluation((row,), 0.9, 8.0, (0.9, 0.1, 0.0)).as_markdown()

    assert table.splitlines()[-1] == "| age norm | 4.12 | 7.00 | 3.40 | 2.36 | 8.50 | – |"


def test_coverage_counts_the_limits_as_inside() -> None:
    lower, upper = np.array([[0.0, 0.0, 0.0, 0.0]]), np.array([[2.0, 2.0, 2.0, 2.0]])

    assert coverage(lower, upper, np.array([[0.0, 2.0, 2.1, -0.1]])) == 0.5

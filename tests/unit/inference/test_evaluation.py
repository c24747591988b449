from pathlib import Path

import pytest

from inference.evaluation import (
    FROM_SECTORS,
    WHOLE_PROFILES,
    WITHOUT_VISIT_EFFECT,
    Evaluation,
    EvaluationSettings,
    evaluate,
)
from inference.model_store import ModelStore

MODEL = "retinervenet 2.1.0"


@pytest.fixture(scope="module")
def found(shared_data: Path) -> Evaluation:
    """The shipped model on a small fresh set of eyes of test patients."""
    bank = shared_data / "visual-field" / "uwhvf_td_bank.npz"
    settings = EvaluationSettings(bank, eyes=2500, baseline_eyes=5000, seed=99)
    return evaluate(ModelStore().load_card("retinervenet", "2.1.0"), settings, "cpu")


def mae_db(found: Evaluation, predictor: str, measured_on: str = WHOLE_PROFILES) -> float:
    (row,) = [
        row for row in found.figures if (row.predictor, row.measured_on) == (predictor, measured_on)
    ]
    return row.mae_db


def test_shipped_model_beats_every_baseline_and_not_the_ceiling(found: Evaluation) -> None:
    model = mae_db(found, MODEL)

    assert model < 0.80 * mae_db(found, "ridge, profile and age")
    assert model < 0.75 * mae_db(found, "age norm for everyone")
    assert model < 0.70 * mae_db(found, "location mean")
    # Nearer to the ceiling than this, patients of the test would have leaked into the training.
    assert model > 1.5 * mae_db(found, "true field (ceiling)")


def test_shipped_model_works_from_six_sectors(found: Evaluation) -> None:
    from_sectors = mae_db(found, MODEL, FROM_SECTORS)

    assert from_sectors < 0.80 * mae_db(found, "ridge, six sectors and age", FROM_SECTORS)
    assert from_sectors < 1.08 * mae_db(found, MODEL)


def test_without_the_visit_effect_the_ceiling_is_lower(found: Evaluation) -> None:
    ceiling = mae_db(found, "true field (ceiling)", WITHOUT_VISIT_EFFECT)

    assert ceiling < mae_db(found, "true field (ceiling)") - 0.05
    assert mae_db(found, MODEL, WITHOUT_VISIT_EFFECT) < mae_db(found, MODEL)


def test_shipped_intervals_hold_nine_of_ten_measurements(found: Evaluation) -> None:
    assert found.interval_coverage == pytest.approx(0.90, abs=0.025)
    assert found.interval_coverage_by_severity == pytest.approx((0.9, 0.9, 0.9), abs=0.06)
    assert 3 < found.interval_width_db < 15


def test_errors_by_location_average_to_the_whole(found: Evaluation) -> None:
    assert len(found.location_mae_db) == 52
    assert sum(found.location_mae_db) / 52 == pytest.approx(mae_db(found, MODEL), abs=1e-3)
    assert sum(found.severity_shares) == pytest.approx(1, abs=1e-3)


def test_shipped_card_states_figures_that_are_found_again(found: Evaluation) -> None:
    card = ModelStore().load_card("retinervenet", "2.1.0")

    assert [row.predictor for row in card.figures] == [row.predictor for row in found.figures]
    for stated, measured in zip(card.figures, found.figures, strict=True):
        assert measured.mae_db == pytest.approx(stated.mae_db, rel=0.06), stated.predictor
    assert card.interval_coverage_by_severity is not None
    assert card.interval_width_db == pytest.approx(found.interval_width_db, rel=0.1)

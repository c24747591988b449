from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.model_card import ModelKind
from inference.probe import largest_difference_db, probe_eyes
from inference.runtimes.network import NetworkAnswer
from tests.unit.inference.cards import make_model


def test_probe_is_the_same_each_time_and_has_the_shape_the_card_says(tmp_path: Path) -> None:
    profiles = make_model(tmp_path, "profiles")
    photographs = make_model(tmp_path, "photographs", kind=ModelKind.FUNDUS)

    for card in (profiles, photographs):
        structure, ages = probe_eyes(card, 5)
        again, _ = probe_eyes(card, 5)

        assert structure.shape == (5, *card.inputs[0].shape)
        assert np.array_equal(structure, again)
        assert (ages[0], ages[-1]) == card.trained_age_range_years


def test_difference_is_the_largest_of_field_and_spread() -> None:
    field, spread = np.full((2, 52), 20, np.float32), np.full((2, 52, 2), 3, np.float32)
    first = NetworkAnswer(field, spread)
    second = NetworkAnswer(field + np.float32(0.5), spread - np.float32(0.75))

    assert largest_difference_db(first, second) == 0.75
    assert largest_difference_db(first, replace(second, spread_db=None)) == 0.5

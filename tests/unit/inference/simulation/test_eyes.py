from dataclasses import astuple

import numpy as np
import pytest

from inference.simulation.eyes import simulate_eyes
from inference.simulation.wedges import WedgePatterns


def test_simulate_eyes_comes_again_from_its_seed() -> None:
    first = simulate_eyes(np.random.default_rng(7), 50, WedgePatterns())
    again = simulate_eyes(np.random.default_rng(7), 50, WedgePatterns())
    other = simulate_eyes(np.random.default_rng(8), 50, WedgePatterns())

    for ours, theirs in zip(astuple(first), astuple(again), strict=True):
        assert np.array_equal(ours, theirs)
    assert not np.array_equal(first.thickness_um, other.thickness_um)


def test_simulate_eyes_gives_finite_values_within_their_ranges() -> None:
    eyes = simulate_eyes(np.random.default_rng(7), 500, WedgePatterns())

    assert len(eyes) == 500
    assert eyes.thickness_um.shape == (500, 768)
    assert np.all((eyes.thickness_um >= 15) & (eyes.thickness_um <= 300))
    assert np.all((eyes.true_db >= 0) & (eyes.true_db <= 40))
    assert np.all((eyes.measured_db >= 0) & (eyes.measured_db <= 40))


def test_simulate_eyes_thins_the_nerve_where_the_field_is_lost() -> None:
    eyes = simulate_eyes(np.random.default_rng(7), 3000, WedgePatterns())

    correlation = np.corrcoef(eyes.thickness_um.mean(axis=1), eyes.mean_deviation_db)[0, 1]

    assert correlation > 0.3
    assert np.abs(eyes.true_db - eyes.measured_db).mean() == pytest.approx(1.5, abs=0.3)

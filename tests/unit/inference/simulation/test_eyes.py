from dataclasses import astuple

import numpy as np
import pytest

from inference.simulation.anatomy import Anatomy
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


def test_simulate_eyes_without_anatomy_gives_what_it_always_gave() -> None:
    eyes = simulate_eyes(np.random.default_rng(7), 3, WedgePatterns())

    # Every 192nd sample, written down before anatomy could vary.
    assert eyes.thickness_um[:, ::192] == pytest.approx(
        np.array(
            [
                [56.54512, 135.52914, 62.20687, 120.87178],
                [47.04917, 80.70914, 62.98713, 129.61967],
                [34.52914, 55.32257, 49.38348, 90.27769],
            ]
        ),
        abs=1e-3,
    )
    assert eyes.measured_db[:, 7].tolist() == [29, 30, 29]


def test_simulate_eyes_with_anatomy_changes_nothing_but_the_profiles() -> None:
    plain = simulate_eyes(np.random.default_rng(7), 200, WedgePatterns())
    anatomies = Anatomy().draw(np.random.default_rng(8), 200)
    varied = simulate_eyes(np.random.default_rng(7), 200, WedgePatterns(), anatomies=anatomies)

    (before_um, *before), (after_um, *after) = astuple(plain), astuple(varied)
    for ours, theirs in zip(before, after, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.abs(after_um - before_um).mean(axis=1).min() > 0.2
    thicker_um = (after_um - before_um)[varied.healthy].mean(axis=1)
    shorter = -anatomies.axial_length_mm[varied.healthy]
    assert np.corrcoef(thicker_um, shorter)[0, 1] > 0.4

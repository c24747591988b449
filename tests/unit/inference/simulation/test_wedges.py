import numpy as np

from core.perimetry.pattern import Y_DEGREE
from inference.simulation.wedges import WedgePatterns


def test_wedge_patterns_only_lose_and_never_below_the_deepest_loss() -> None:
    patterns = WedgePatterns().draw(np.random.default_rng(1), 2000)

    assert patterns.shape == (2000, 52)
    assert patterns.max() == 0
    assert patterns.min() >= -36


def test_wedge_patterns_take_the_superior_field_more_often() -> None:
    patterns = WedgePatterns().draw(np.random.default_rng(1), 2000)

    superior = patterns[:, Y_DEGREE > 0].mean(axis=1)
    inferior = patterns[:, Y_DEGREE < 0].mean(axis=1)
    assert np.mean(superior < inferior - 2) > np.mean(inferior < superior - 2)


def test_wedge_patterns_differ_and_come_again_from_the_same_seed() -> None:
    first = WedgePatterns().draw(np.random.default_rng(5), 20)

    assert len(np.unique(first, axis=0)) > 15
    assert np.array_equal(first, WedgePatterns().draw(np.random.default_rng(5), 20))

import numpy as np
import pytest

from inference.profile_gate_fit import fit_gate
from inference.simulation.eyes import simulate_eyes
from inference.simulation.wedges import WedgePatterns


def test_same_eyes_and_seed_give_the_same_gate() -> None:
    eyes = simulate_eyes(np.random.default_rng(1), 600, WedgePatterns())

    first, again = (
        fit_gate(np.random.default_rng(2), eyes.thickness_um, eyes.age_years) for _ in range(2)
    )

    assert np.array_equal(first.limits, again.limits)
    assert np.array_equal(first.odds, again.odds)


def test_too_few_eyes_are_refused() -> None:
    with pytest.raises(ValueError, match="500 eyes at least, not 20"):
        fit_gate(np.random.default_rng(2), np.full((20, 768), 90, np.float32), np.full(20, 60.0))

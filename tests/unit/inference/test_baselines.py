import numpy as np
import pytest

from core.perimetry.norms import norm_db
from inference.baselines import age_norm, fit_ridge, location_mean
from inference.simulation.eyes import SimulatedEyes, simulate_eyes
from inference.simulation.wedges import WedgePatterns


def eyes(seed: int, count: int = 1500) -> SimulatedEyes:
    return simulate_eyes(np.random.default_rng(seed), count, WedgePatterns())


def mae_db(field_db: np.ndarray, measured: SimulatedEyes) -> float:
    return float(np.abs(field_db - measured.measured_db).mean())


def test_ridge_beats_the_location_mean_on_new_eyes() -> None:
    training, new = eyes(1), eyes(2)

    ridge_db = fit_ridge(training).predict(new)

    assert mae_db(ridge_db, new) < mae_db(location_mean(training, new), new)
    assert ridge_db.min() >= 0
    assert ridge_db.max() <= 40


def test_location_mean_is_that_of_the_training_eyes() -> None:
    training, new = eyes(1, 50), eyes(2, 3)

    assert location_mean(training, new)[2] == pytest.approx(training.measured_db.mean(axis=0))


def test_age_norm_is_the_norm_of_each_age() -> None:
    new = eyes(2, 3)

    assert age_norm(new)[1] == pytest.approx(norm_db(float(new.age_years[1])))

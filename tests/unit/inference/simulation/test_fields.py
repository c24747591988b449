import numpy as np
import pytest

from core.perimetry.norms import norms_db
from inference.simulation.fields import SimulatedFields, simulate_fields
from inference.simulation.wedges import WedgePatterns


def fields_of(total_deviation_db: np.ndarray, *, healthy: bool = False) -> SimulatedFields:
    return SimulatedFields(np.array([60.0]), total_deviation_db[None, :], np.array([healthy]))


def test_simulate_fields_makes_the_asked_share_healthy() -> None:
    fields = simulate_fields(np.random.default_rng(1), 4000, WedgePatterns(), healthy_fraction=0.3)

    assert np.mean(fields.healthy) == pytest.approx(0.3, abs=0.03)
    assert np.mean(fields.age_years) == pytest.approx(62, abs=1)


def test_healthy_fields_spread_as_healthy_people_do() -> None:
    fields = simulate_fields(np.random.default_rng(1), 4000, WedgePatterns(), healthy_fraction=1)

    means = fields.total_deviation_db.mean(axis=1)
    assert np.std(means) == pytest.approx(1.23, abs=0.25)
    assert np.std(fields.total_deviation_db) == pytest.approx(1.77, abs=0.25)


def test_sensitivities_are_the_norm_and_the_deviation() -> None:
    fields = fields_of(np.full(52, -5.0))

    assert fields.sensitivities_db == pytest.approx(norms_db(np.array([60.0])) - 5)
    assert fields_of(np.full(52, -60.0)).sensitivities_db.max() == -2


def test_survival_is_whole_in_healthy_eyes_whatever_their_field() -> None:
    assert np.array_equal(fields_of(np.full(52, -3.0), healthy=True).survival, np.ones((1, 52)))


def test_survival_falls_tenfold_for_ten_decibel_of_local_loss() -> None:
    total = np.zeros(52)
    total[20] = -10

    survival = fields_of(total).survival

    assert survival[0, 20] == pytest.approx(0.1)
    assert np.delete(survival[0], 20) == pytest.approx(np.ones(51))

import numpy as np
import pytest

from core.perimetry.nerve_fibres import ENTRY_ANGLES_DEGREE
from core.perimetry.pattern import Y_DEGREE
from core.perimetry.rnfl import normal_band_um, normal_profile_um
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.simulation.fields import SimulatedFields
from inference.simulation.profiles import healthy_profiles_um, scanned_um, simulate_profiles

COUNT = 3000


def mean_profile(total_deviation_db: np.ndarray) -> np.ndarray:
    """Mean simulated profile of many eyes of 60 years with the same field."""
    fields = SimulatedFields(
        age_years=np.full(COUNT, 60.0),
        total_deviation_db=np.tile(total_deviation_db, (COUNT, 1)),
        healthy=np.zeros(COUNT, dtype=np.bool_),
    )
    return simulate_profiles(np.random.default_rng(1), fields).mean(axis=0)


def test_healthy_profiles_scatter_around_the_normal_one() -> None:
    healthy = healthy_profiles_um(np.random.default_rng(1), np.full(COUNT, 60.0))

    assert healthy.mean() == pytest.approx(normal_profile_um(60).mean(), abs=1)
    assert healthy.mean(axis=1).std() == pytest.approx(10, abs=2)


def test_healthy_profiles_are_those_behind_the_drawn_band() -> None:
    rng = np.random.default_rng(1)
    scans = scanned_um(rng, healthy_profiles_um(rng, np.full(COUNT, 60.0)))
    lower, upper = normal_band_um(60)

    inside = np.mean((scans >= lower) & (scans <= upper), axis=0)

    assert inside.mean() == pytest.approx(0.9, abs=0.01)
    assert inside.min() > 0.87


def test_loss_of_the_superior_field_thins_the_inferior_disc() -> None:
    intact = mean_profile(np.zeros(52))
    lost = mean_profile(np.where((Y_DEGREE > 0) & (ENTRY_ANGLES_DEGREE > 270), -20.0, 0.0))

    thinned = intact - lost
    assert 270 < PROFILE_ANGLES_DEGREE[np.argmax(thinned)] < 315
    superior_disc = (PROFILE_ANGLES_DEGREE > 40) & (PROFILE_ANGLES_DEGREE < 140)
    assert thinned[superior_disc].max() < 0.05 * thinned.max()


def test_advanced_loss_stops_at_the_floor_of_glia_and_vessels() -> None:
    lost = mean_profile(np.full(52, -30.0))
    temporal_half = (PROFILE_ANGLES_DEGREE < 80) | (PROFILE_ANGLES_DEGREE > 280)

    assert lost[temporal_half].min() > 28
    assert lost[temporal_half].max() < 55

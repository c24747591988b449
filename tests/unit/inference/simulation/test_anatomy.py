from dataclasses import astuple, replace
from functools import cache

import numpy as np
import pytest

from core.values.profile import PROFILE_ANGLES_DEGREE, PROFILE_SAMPLES
from inference.simulation.anatomy import (
    NORMAL_AXIAL_LENGTH_MM,
    NORMAL_DISC_FOVEA_ANGLE_DEGREE,
    NORMAL_DISC_RADIUS_MM,
    Anatomy,
    EyeAnatomies,
    circle_radius_mm,
    seen_on_the_circle,
)
from inference.simulation.fields import SimulatedFields
from inference.simulation.profiles import simulate_profiles

COUNT = 600

#: Every eye as the normal one.
STILL = Anatomy(
    axial_length_sd_mm=0, disc_fovea_angle_sd_degree=0, disc_radius_sd_mm=0, vessel_share=0
)


def drawn(anatomy: Anatomy, count: int = COUNT) -> EyeAnatomies:
    return anatomy.draw(np.random.default_rng(3), count)


@cache
def profiles(anatomy: Anatomy | None, loss_db: float = 0.0) -> np.ndarray:
    """Profiles of the same eyes of 60 years, differing in nothing but their anatomy."""
    fields = SimulatedFields(
        age_years=np.full(COUNT, 60.0),
        total_deviation_db=np.full((COUNT, 52), loss_db),
        healthy=np.full(COUNT, loss_db == 0),
    )
    anatomies = None if anatomy is None else drawn(anatomy)
    return simulate_profiles(np.random.default_rng(1), fields, anatomies)


def peaks_degree(profile_um: np.ndarray) -> tuple[float, float]:
    """Where the superior and the inferior half of a profile are thickest."""
    half = PROFILE_SAMPLES // 2
    highest = np.argmax(profile_um[:half]), half + np.argmax(profile_um[half:])
    superior, inferior = PROFILE_ANGLES_DEGREE[list(highest)]
    return float(superior), float(inferior)


def test_anatomy_comes_again_from_its_seed() -> None:
    for ours, theirs in zip(astuple(drawn(Anatomy())), astuple(drawn(Anatomy())), strict=True):
        assert np.array_equal(ours, theirs)


def test_anatomy_varies_as_it_says() -> None:
    eyes = drawn(Anatomy(), 20000)

    found = [
        (values.mean(), values.std())
        for values in (eyes.axial_length_mm, eyes.disc_fovea_angle_degree, eyes.disc_radius_mm)
    ]
    assert len(eyes) == 20000
    assert found[0] == pytest.approx((23.25, 1.14), abs=0.03)
    assert found[1] == pytest.approx((7.76, 3.63), abs=0.1)
    assert found[2] == pytest.approx((0.90, 0.08), abs=0.003)


def test_circle_of_twelve_degree_is_as_wide_as_devices_say() -> None:
    diameter_mm = 2 * circle_radius_mm(np.array([23.0, 24.0, 26.0]))

    assert 3.2 < diameter_mm[0] < diameter_mm[1] < 3.55 < diameter_mm[2]


def test_normal_eye_is_left_as_it_is() -> None:
    assert profiles(STILL) == pytest.approx(profiles(None), abs=1e-3)


@pytest.mark.parametrize("angle", [-20.0, -7.3, 12.0])
def test_lower_fovea_turns_the_peaks_by_its_angle(angle: float) -> None:
    turned = replace(STILL, disc_fovea_angle_mean_degree=NORMAL_DISC_FOVEA_ANGLE_DEGREE + angle)

    before = peaks_degree(profiles(STILL).mean(axis=0))
    after = peaks_degree(profiles(turned).mean(axis=0))

    # A sample is 0.47° wide, and the noise of the scan does not turn with the eye.
    assert after == pytest.approx([peak - angle for peak in before], abs=1.0)


def test_turning_goes_round_without_a_seam() -> None:
    eyes = drawn(replace(STILL, disc_fovea_angle_mean_degree=NORMAL_DISC_FOVEA_ANGLE_DEGREE + 90))
    wave = 100 + 20 * np.cos(np.deg2rad(PROFILE_ANGLES_DEGREE - 30))

    seen = seen_on_the_circle(np.tile(wave, (COUNT, 1)), eyes)

    moved = 100 + 20 * np.cos(np.deg2rad(PROFILE_ANGLES_DEGREE + 90 - 30))
    assert seen[0] == pytest.approx(moved, abs=1e-3)


def test_longer_eyes_have_thinner_profiles_with_peaks_nearer_to_temporal() -> None:
    normal = profiles(STILL)
    longer = profiles(replace(STILL, axial_length_mean_mm=NORMAL_AXIAL_LENGTH_MM + 2))

    # 2.4 µm of 103.2 µm per mm were found between people.
    assert longer.mean() / normal.mean() == pytest.approx((1 - 2.4 / 103.2) ** 2, abs=0.004)
    superior, inferior = np.subtract(
        peaks_degree(longer.mean(axis=0)), peaks_degree(normal.mean(axis=0))
    )
    assert superior < -3
    assert inferior > 3


def test_thickness_falls_with_the_power_of_the_radius() -> None:
    steep = drawn(replace(STILL, axial_length_mean_mm=26.0, thinning_power=1.0))
    flat = drawn(replace(STILL, axial_length_mean_mm=26.0, thinning_power=0.0))

    wider = (26.0 - 1.82) / (NORMAL_AXIAL_LENGTH_MM - 1.82)
    assert steep.thickness_factor == pytest.approx(1 / wider)
    assert flat.thickness_factor == pytest.approx(1.0)


def test_larger_discs_come_nearer_to_the_circle() -> None:
    larger = drawn(replace(STILL, disc_radius_mean_mm=NORMAL_DISC_RADIUS_MM + 0.1))
    huge = drawn(replace(STILL, disc_radius_mean_mm=5.0, axial_length_mean_mm=19.0))

    assert np.all((larger.thickness_factor > 1.02) & (larger.thickness_factor < 1.06))
    # The law is not carried on beyond the radii it is assumed for.
    assert np.all(huge.thickness_factor < 1.14)


def test_main_vessels_stay_where_the_fibres_are_lost() -> None:
    without, vessels = profiles(STILL, -30.0), profiles(replace(STILL, vessel_share=1.0), -30.0)

    temporal_half = (PROFILE_ANGLES_DEGREE < 110) | (PROFILE_ANGLES_DEGREE > 250)
    highest = vessels[:, temporal_half].max(axis=1)
    assert np.mean((highest > 95) & (highest < 165)) > 0.95
    assert without[:, temporal_half].max(axis=1).mean() < 75
    nasal = np.abs(PROFILE_ANGLES_DEGREE - 180) < 50
    assert vessels[:, nasal] == pytest.approx(without[:, nasal], abs=1e-3)

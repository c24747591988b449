import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.simulation.fundus_eyes import draw_fundus_eye


def test_cup_reaches_farther_where_fibres_are_lost() -> None:
    healthy_um = normal_profile_um(60.0).astype(np.float32)
    notch = np.exp(-0.5 * ((PROFILE_ANGLES_DEGREE - 290) / 20) ** 2)
    notched_um = (healthy_um * (1 - 0.7 * notch)).astype(np.float32)

    healthy, notched = (
        draw_fundus_eye(np.random.default_rng(4), profile, 60.0)
        for profile in (healthy_um, notched_um)
    )

    at_notch = np.abs(PROFILE_ANGLES_DEGREE - 290) < 10
    elsewhere = np.abs(PROFILE_ANGLES_DEGREE - 70) < 10
    assert np.all(notched.cup_share[at_notch] > healthy.cup_share[at_notch] + 0.1)
    assert notched.cup_share[elsewhere] == pytest.approx(healthy.cup_share[elsewhere], abs=1e-3)


def test_healthy_cups_are_about_half_the_disc() -> None:
    profile_um = normal_profile_um(60.0).astype(np.float32)
    rng = np.random.default_rng(2)

    shares = [draw_fundus_eye(rng, profile_um, 60.0).cup_share.mean() for _ in range(200)]

    assert 0.35 < np.mean(shares) < 0.6
    assert 0.03 < np.std(shares) < 0.15


def test_nerve_fibres_of_old_eyes_are_dimmer() -> None:
    profile_um = normal_profile_um(60.0).astype(np.float32)

    young, old = (draw_fundus_eye(np.random.default_rng(4), profile_um, age) for age in (30, 80))

    assert old.fibre_light < young.fibre_light

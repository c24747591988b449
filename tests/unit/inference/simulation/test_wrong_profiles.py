import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.simulation.wrong_profiles import mirrored, wrong_profiles

COUNT = 400


def test_mirrored_exchanges_temporal_and_nasal_and_leaves_superior() -> None:
    angles = PROFILE_ANGLES_DEGREE.astype(np.float32)[np.newaxis]

    assert mirrored(angles)[0] == pytest.approx((180 - PROFILE_ANGLES_DEGREE) % 360)
    assert np.array_equal(mirrored(mirrored(angles)), angles)


def test_every_profile_gets_a_mistake_and_stays_a_thickness() -> None:
    good_um = np.tile(normal_profile_um(60.0).astype(np.float32), (COUNT, 1))

    wrong_um = wrong_profiles(np.random.default_rng(1), good_um, np.full(COUNT, 60.0))

    assert wrong_um.shape == good_um.shape
    assert np.all((wrong_um >= 1) & (wrong_um <= 500))
    assert np.abs(wrong_um - good_um).mean(axis=1).min() > 1


def test_mistakes_differ_and_come_again_from_the_same_seed() -> None:
    good_um = np.tile(normal_profile_um(60.0).astype(np.float32), (COUNT, 1))

    first, again = (
        wrong_profiles(np.random.default_rng(4), good_um, np.full(COUNT, 60.0)) for _ in range(2)
    )

    assert np.array_equal(first, again)
    assert len(np.unique(np.round(first, 2), axis=0)) > COUNT / 2

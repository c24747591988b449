import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.profile import sector_means
from inference.sector_profile import (
    SECTORS,
    profile_from_sectors,
    profiles_from_sectors,
    sectors_of,
)
from inference.simulation.eyes import simulate_eyes
from inference.simulation.wedges import WedgePatterns

#: A superior-heavy eye with a deep inferotemporal defect: T, TS, NS, N, NI, TI in µm.
UNEVEN_UM = np.array([60.0, 142.0, 101.0, 77.0, 88.0, 51.0])


def test_rebuilt_profile_has_exactly_the_given_sector_means() -> None:
    found = sector_means(profile_from_sectors(UNEVEN_UM, 63.0))

    assert list(found) == list(SECTORS) == ["T", "TS", "NS", "N", "NI", "TI"]
    assert np.array(list(found.values())) == pytest.approx(UNEVEN_UM, abs=1e-4)


@pytest.mark.parametrize("age_years", [25.0, 60.0, 90.0])
def test_sectors_of_the_normal_profile_give_the_normal_profile(age_years: float) -> None:
    normal_um = normal_profile_um(age_years)

    rebuilt_um = profile_from_sectors(sectors_of(normal_um[np.newaxis])[0], age_years)

    assert rebuilt_um == pytest.approx(normal_um, abs=1e-3)


def test_rebuilt_profile_is_smooth_also_where_360_meets_0_degree() -> None:
    rebuilt_um = profile_from_sectors(UNEVEN_UM, 63.0)

    steps_um = np.abs(np.diff(rebuilt_um, append=rebuilt_um[:1]))
    assert steps_um.max() < 2.5


def test_rebuilt_profiles_follow_simulated_eyes() -> None:
    eyes = simulate_eyes(np.random.default_rng(11), 2500, WedgePatterns())
    sectors_um = sectors_of(eyes.thickness_um)

    rebuilt_um = profiles_from_sectors(sectors_um, eyes.age_years)

    assert sectors_of(rebuilt_um) == pytest.approx(sectors_um, abs=1e-3)
    from_normal_um = np.abs(normal_profile_um(60.0) - eyes.thickness_um).mean()
    assert np.abs(rebuilt_um - eyes.thickness_um).mean() < 0.6 * from_normal_um


def test_any_six_plausible_sectors_give_a_positive_profile() -> None:
    sectors_um = np.exp(np.random.default_rng(5).uniform(np.log(15), np.log(300), (2000, 6)))

    rebuilt_um = profiles_from_sectors(sectors_um, np.full(2000, 60.0))

    assert rebuilt_um.min() > 0
    assert sectors_of(rebuilt_um) == pytest.approx(sectors_um, rel=1e-5)


def test_one_eye_is_rebuilt_as_among_many() -> None:
    sectors_um = np.stack([UNEVEN_UM, UNEVEN_UM[::-1], 1.2 * UNEVEN_UM])

    many_um = profiles_from_sectors(sectors_um, np.array([50.0, 60.0, 70.0]))

    assert many_um[1] == pytest.approx(profile_from_sectors(UNEVEN_UM[::-1], 60.0), abs=1e-3)
    assert profiles_from_sectors(sectors_um[:0], np.zeros(0)).shape == (0, 768)


@pytest.mark.parametrize(
    ("sectors_um", "age_years", "cause"),
    [
        ([76, 138, 106, 73, 118, 0], 60.0, "above 0"),
        ([76, 138, 106, 73, 118, -5], 60.0, "above 0"),
        ([76, 138, 106, 73, 118, np.nan], 60.0, "missing"),
        ([76, 138, 106, 73, 118, 153], np.nan, "missing"),
        ([76, 138, 106, 73, 118], 60.0, "six sectors"),
        ([1e-30, 1e30, 1e-30, 1e30, 1e-30, 1e30], 60.0, "no smooth profile"),
    ],
)
def test_sectors_that_are_none_are_refused(
    sectors_um: list[float], age_years: float, cause: str
) -> None:
    with pytest.raises(ValueError, match=cause):
        profile_from_sectors(np.array(sectors_um), age_years)

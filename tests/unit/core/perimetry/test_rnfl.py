import csv
from pathlib import Path

import numpy as np
import pytest

from core.perimetry.rnfl import normal_band_um, normal_profile_um
from core.values.profile import PROFILE_ANGLES_DEGREE, sector_means


def test_normal_profile_has_the_published_sector_means() -> None:
    means = sector_means(normal_profile_um(60).astype(np.float32))

    published = {"T": 76, "TS": 138, "NS": 106, "N": 73, "NI": 118, "TI": 153}
    assert means == pytest.approx(published, abs=0.3)


def test_normal_profile_is_the_published_curve(shared_data: Path) -> None:
    with (shared_data / "visual-field" / "rnfl_norm_768.csv").open(newline="") as file:
        curve = [float(row["rnfl_um_age60"]) for row in csv.DictReader(file)]

    assert normal_profile_um(60) == pytest.approx(np.array(curve), abs=0.006)


def test_normal_profile_thins_with_age() -> None:
    assert normal_profile_um(80) == pytest.approx(normal_profile_um(60) - 4)


def test_normal_profile_peaks_above_and_below_the_temporal_side() -> None:
    profile, superior = normal_profile_um(60), PROFILE_ANGLES_DEGREE < 180

    assert PROFILE_ANGLES_DEGREE[np.argmax(np.where(superior, profile, 0))] == pytest.approx(
        71, abs=1
    )
    assert PROFILE_ANGLES_DEGREE[np.argmax(np.where(superior, 0, profile))] == pytest.approx(
        290, abs=1
    )


def test_normal_band_encloses_the_normal_profile_at_every_age() -> None:
    for age in (30, 60, 90):
        lower, upper = normal_band_um(age)
        assert lower.shape == upper.shape == (768,)
        assert np.all(lower < normal_profile_um(age))
        assert np.all(normal_profile_um(age) < upper)

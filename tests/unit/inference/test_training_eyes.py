from pathlib import Path

import numpy as np
import pytest

from inference.errors import TrainingDataInvalid
from inference.sector_profile import sectors_of
from inference.simulation.wedges import WedgePatterns
from inference.training_eyes import (
    SECTOR_SHARE,
    VARIED_SHARE,
    draw_eye_sets,
    draw_eyes,
    from_sectors,
    partly_from_sectors,
)


def test_same_seed_gives_the_same_eyes_and_sets_are_not_alike() -> None:
    first, second = (draw_eye_sets(3, None, 60, 40) for _ in range(2))

    assert np.array_equal(first.training.thickness_um, second.training.thickness_um)
    assert (len(first.training), len(first.validation), len(first.calibration)) == (60, 40, 40)
    assert not np.array_equal(first.validation.age_years, first.calibration.age_years)


def test_eyes_from_sectors_keep_field_age_and_sector_means() -> None:
    eyes = draw_eyes(np.random.default_rng(1), 50, WedgePatterns())

    seen = from_sectors(eyes)

    assert np.array_equal(seen.measured_db, eyes.measured_db)
    assert sectors_of(seen.thickness_um) == pytest.approx(sectors_of(eyes.thickness_um), rel=1e-4)
    assert np.abs(seen.thickness_um - eyes.thickness_um).mean() > 2


def test_a_share_of_the_training_eyes_is_seen_through_sectors() -> None:
    eyes = draw_eyes(np.random.default_rng(2), 200, WedgePatterns())

    mixed = partly_from_sectors(eyes)

    changed = np.any(mixed.thickness_um != eyes.thickness_um, axis=1)
    assert changed.mean() == pytest.approx(SECTOR_SHARE)
    assert np.array_equal(mixed.true_db, eyes.true_db)


def test_a_share_of_the_training_eyes_varies_in_build_among_the_others() -> None:
    rng = np.random.default_rng(5)
    eyes = draw_eyes(rng, 4000, WedgePatterns(), VARIED_SHARE)
    plain = draw_eyes(rng, 4000, WedgePatterns())

    # Bare vessels and turned eyes are what varies most: steep places in thin layers.
    steepest = np.abs(np.diff(eyes.thickness_um, axis=1)).max(axis=1)
    usual = np.percentile(np.abs(np.diff(plain.thickness_um, axis=1)).max(axis=1), 99.5)
    is_steep = steepest > usual
    assert 0.05 < is_steep.mean() < VARIED_SHARE
    halves = is_steep.reshape(2, -1).mean(axis=1)
    assert halves[0] == pytest.approx(halves[1], rel=0.25)


def test_missing_bank_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataInvalid, match=r"bank\.npz"):
        draw_eye_sets(3, tmp_path / "bank.npz", 10, 10)

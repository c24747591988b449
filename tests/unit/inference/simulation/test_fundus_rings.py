"""Rings drawn alone must be like those prepared from whole photographs of the same eyes."""

import numpy as np
import pytest

from core.values.fundus import FUNDUS_CHANNELS, FUNDUS_SHAPE, RING_RADII
from core.values.laterality import Laterality
from inference.preparation.fundus import prepare_fundus
from inference.simulation.bank import Part
from inference.simulation.fundus_cameras import draw_camera
from inference.simulation.fundus_pairs import BLOCK, simulate_block, simulate_fundus_pairs
from inference.simulation.fundus_photographs import photograph
from inference.simulation.fundus_rings import simulate_ring
from inference.simulation.wedges import WedgePatterns
from tests.unit.inference.fundus_eyes import make_eye

EYES = 12


@pytest.fixture(scope="module")
def both_ways() -> tuple[np.ndarray, np.ndarray]:
    whole, alone = [], []
    for seed in range(EYES):
        rng = np.random.default_rng([seed, 2])
        eye, camera = make_eye(seed), draw_camera(rng)
        scan = photograph(eye, camera, list(Laterality)[seed % 2], 60.0, rng).scan
        prepared = prepare_fundus(scan)
        if prepared.quality.assessable:
            whole.append(prepared.ring)
            alone.append(simulate_ring(eye, camera, rng))
    assert len(whole) >= EYES - 2
    return np.stack(whole), np.stack(alone)


@pytest.mark.parametrize("channel", FUNDUS_CHANNELS)
def test_rings_are_spread_as_in_whole_photographs(
    both_ways: tuple[np.ndarray, np.ndarray], channel: str
) -> None:
    index = FUNDUS_CHANNELS.index(channel)
    whole, alone = (rings[..., index] for rings in both_ways)

    for part in (RING_RADII < 0.9, RING_RADII >= 1.2):
        assert alone[:, :, part].mean() == pytest.approx(whole[:, :, part].mean(), abs=0.08)
        assert alone[:, :, part].std() == pytest.approx(whole[:, :, part].std(), abs=0.08)


def test_rings_follow_the_eye_they_belong_to(both_ways: tuple[np.ndarray, np.ndarray]) -> None:
    whole, alone = (rings[:, :, RING_RADII >= 1.2, 2].mean(axis=2) for rings in both_ways)

    same = [np.corrcoef(a, b)[0, 1] for a, b in zip(whole, alone, strict=True)]
    other = [np.corrcoef(a, b)[0, 1] for a, b in zip(whole, np.roll(alone, 1, 0), strict=True)]

    assert np.median(same) > 0.5
    assert np.median(same) > np.median(other) + 0.2


def test_pairs_are_drawn_in_blocks_that_can_be_drawn_apart() -> None:
    pairs = simulate_fundus_pairs(5, Part.TEST, 3, WedgePatterns())
    block = simulate_block(5, Part.TEST, 0, 3, WedgePatterns())

    assert len(pairs) == 3
    assert BLOCK > 3
    assert pairs.rings.shape == (3, *FUNDUS_SHAPE)
    assert np.array_equal(pairs.rings, block.rings)
    assert np.array_equal(pairs.eyes.measured_db, block.eyes.measured_db)
    assert not np.array_equal(
        pairs.rings, simulate_block(5, Part.TRAIN, 0, 3, WedgePatterns()).rings
    )

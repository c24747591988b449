from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.values.laterality import Laterality
from inference.preparation.prepare import prepare
from inference.simulation.b_scans import FRAME, BScanOptions, simulate_b_scan
from inference.simulation.difficulties import DIFFICULTIES, draw_difficult
from tests.unit.inference.preparation.circles import profile_with_loss, scan_with


@dataclass(frozen=True)
class Measured:
    """What came of one simulated scan, its error in micrometre."""

    assessable: bool
    score: float
    error_um: float
    bias_um: float


def measured(options: BScanOptions, rng: np.random.Generator) -> Measured:
    centre = rng.choice(np.array([75.0, 285.0]))
    thickness_um = profile_with_loss(float(centre), float(rng.uniform(0, 0.6)))
    truth = simulate_b_scan(thickness_um, Laterality.RIGHT, rng, options)

    profile = prepare(scan_with(truth.shown))

    true_um = (truth.layers.rnfl_row - truth.layers.ilm_row) * FRAME.axial_um
    difference = np.full(1, np.inf)
    if profile.layers is not None:
        found_um = (profile.layers.rnfl_row - profile.layers.ilm_row) * FRAME.axial_um
        difference = found_um - true_um
    return Measured(
        profile.quality.assessable,
        profile.quality.score,
        float(np.abs(difference).mean()),
        float(difference.mean()),
    )


def passed(scans: Sequence[Measured]) -> list[Measured]:
    return [scan for scan in scans if scan.assessable]


def test_clean_scans_are_measured_without_bias_and_none_is_refused() -> None:
    scans = [measured(BScanOptions(), np.random.default_rng([1, seed])) for seed in range(20)]

    assert len(passed(scans)) == len(scans)
    assert float(np.mean([scan.error_um for scan in scans])) < 2.0
    assert abs(float(np.mean([scan.bias_um for scan in scans]))) < 1.0


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_a_difficult_scan_is_measured_well_or_refused(difficulty: str) -> None:
    scans = []
    for seed in range(4):
        rng = np.random.default_rng([2, seed])
        scans.append(measured(DIFFICULTIES[difficulty](BScanOptions(), rng), rng))

    assert all(scan.error_um < 9.0 for scan in passed(scans))


def test_quality_score_foretells_the_error_of_scans_of_mixed_difficulty() -> None:
    scans = []
    for seed in range(40):
        rng = np.random.default_rng([3, seed])
        scans.append(measured(draw_difficult(rng), rng))
    good = passed(scans)

    rank = spearmanr([scan.score for scan in good], [scan.error_um for scan in good]).statistic
    foretold_um = float(np.mean([10 * (1 - scan.score) for scan in good]))

    assert len(good) >= 12
    assert rank < -0.5
    assert foretold_um == pytest.approx(np.mean([scan.error_um for scan in good]), rel=0.4)

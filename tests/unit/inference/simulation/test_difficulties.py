import numpy as np
import pytest

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from inference.simulation.b_scans import FRAME, BScanOptions, SimulatedBScan, simulate_b_scan
from inference.simulation.difficulties import DIFFICULTIES, draw_difficult
from inference.simulation.displays import Display, Transform


def simulate(options: BScanOptions) -> SimulatedBScan:
    rng = np.random.default_rng(1)
    return simulate_b_scan(normal_profile_um(60), Laterality.RIGHT, rng, options)


def thickness_um(scan: SimulatedBScan) -> np.ndarray:
    return (scan.layers.rnfl_row - scan.layers.ilm_row) * FRAME.axial_um


def below_bruch_um(scan: SimulatedBScan) -> np.ndarray:
    """Rows well below the nerve fibres, where the outer retina and the choroid are."""
    rows = np.rint(scan.layers.rnfl_row).astype(int) + np.arange(45, 75)[:, np.newaxis]
    return scan.shown[np.clip(rows, 0, FRAME.rows - 1), np.arange(scan.shown.shape[1])]


def test_difficulties_drawn_by_the_same_seed_are_the_same() -> None:
    drawn = [draw_difficult(np.random.default_rng([7, seed])) for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_each_difficulty_changes_the_picture_and_keeps_its_shape(difficulty: str) -> None:
    options = DIFFICULTIES[difficulty](BScanOptions(), np.random.default_rng(3))

    scan = simulate(options)

    assert scan.shown.shape == (FRAME.rows, 768)
    assert float(scan.shown.min()) >= 0.0
    assert float(scan.shown.max()) <= 1.0
    assert float(np.abs(scan.shown - simulate(BScanOptions()).shown).mean()) > 1e-3


def test_motion_moves_the_retina_in_steps_and_leaves_its_thickness() -> None:
    still, moved = simulate(BScanOptions()), simulate(BScanOptions(motion_rows=8.0))

    steps = np.abs(np.diff(moved.layers.ilm_row - still.layers.ilm_row))
    assert int((steps > 1).sum()) >= 1
    assert float(np.median(steps)) < 0.5


def test_decentration_thins_the_layer_on_the_far_side() -> None:
    options = BScanOptions(vessels=(), decentration_mm=(0.5, 0.0))
    even = np.full(768, 100.0)
    rng = np.random.default_rng(1)
    scan = simulate_b_scan(even, Laterality.RIGHT, rng, options)

    temporal = thickness_um(scan)[np.argmin(np.abs(scan.angles_degree))]
    nasal = thickness_um(scan)[np.argmin(np.abs(scan.angles_degree - 180))]
    assert temporal == pytest.approx(100 / (1 + 0.5 / 1.75), abs=0.5)
    assert nasal == pytest.approx(100 / (1 - 0.5 / 1.75), abs=0.5)


def test_folded_retina_lies_above_the_picture_and_comes_back_mirrored() -> None:
    scan = simulate(BScanOptions(folded_rows=30.0))

    highest = int(np.argmin(scan.layers.ilm_row))
    assert float(scan.layers.ilm_row.min()) == pytest.approx(-30.0, abs=0.01)
    assert float(scan.shown[5:28, highest].mean()) > 0.5


def test_atrophy_darkens_the_outer_band_on_the_temporal_side_only() -> None:
    wasted = simulate(BScanOptions(vessels=(), atrophy_degree=90.0))
    whole = simulate(BScanOptions(vessels=()))
    temporal = np.abs((wasted.angles_degree + 180) % 360 - 180) < 30
    nasal = np.abs(wasted.angles_degree - 180) < 60

    change = np.quantile(below_bruch_um(wasted), 0.9, axis=0) - np.quantile(
        below_bruch_um(whole), 0.9, axis=0
    )
    assert float(change[temporal].mean()) < float(change[nasal].mean()) - 0.03


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("display", "intensity", "shown"),
    [
        (Display(), 0.0625, 0.5),
        (Display(gain=0.5), 0.0625, 0.25),
        (Display(Transform.LOGARITHM, decades=4.0), 0.01, 0.5),
        (Display(Transform.LOGARITHM, decades=2.0), 1e-3, 0.0),
        (Display(Transform.LINEAR, gain=2.0), 0.25, 0.5),
        (Display(Transform.LINEAR, gain=2.0), 0.75, 1.0),
        (Display(), -1.0, 0.0),
    ],
)
def test_display_shows_intensity(
    display: Display, intensity: float, shown: float, bits: int
) -> None:
    values = Display(display.transform, display.gain, display.decades, bits).grey_values(
        np.full((1, 1), intensity)
    )

    assert values.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert values[0, 0] / np.iinfo(values.dtype).max == pytest.approx(shown, abs=0.003)

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry
from inference.preparation.grid_sampling import points_mm
from inference.preparation.prepare import prepare
from inference.simulation.disc_shape import DiscShape
from inference.simulation.thickness_maps import MapOptions, SimulatedMap, simulate_thickness_map
from inference.simulation.volume_grid import Grid
from tests.unit.inference.preparation.volumes import map_scan

Map = NDArray[np.float32]


def simulated(
    options: MapOptions | None = None, laterality: Laterality = Laterality.RIGHT, seed: int = 1
) -> SimulatedMap:
    rng = np.random.default_rng(seed)
    return simulate_thickness_map(normal_profile_um(60.0), laterality, rng, options)


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("upward", [True, False])
@pytest.mark.parametrize("no_value_um", [np.nan, 0.0])
def test_prepare_samples_the_true_profile_of_a_map(
    laterality: Laterality, upward: bool, no_value_um: float
) -> None:
    options = MapOptions(grid=Grid(upward=upward), no_value_um=no_value_um)
    truth = simulated(options, laterality)

    profile = prepare(map_scan(truth))

    difference = profile.thickness_um - truth.thickness_um
    assert (profile.quality.assessable, profile.quality.score) == (True, 1.0)
    assert float(np.abs(difference).mean()) < 4.0
    assert profile.layers is None
    assert profile.picture is not None
    assert (profile.picture.min(), profile.picture.shape) == (0.0, (200, 200))
    assert profile.picture.max() <= 1.0


def test_map_of_other_steps_gives_the_same_profile() -> None:
    grid = Grid(b_scans=100, columns=150, width_mm=7.5, height_mm=7.0)
    truth = simulated(MapOptions(grid=grid, vessels=()))

    difference = prepare(map_scan(truth)).thickness_um - truth.thickness_um

    assert float(np.abs(difference).mean()) < 4.0


def with_gap(share: float) -> Callable[[SimulatedMap], Map]:
    def gapped(truth: SimulatedMap) -> Map:
        """The map without value in a sector that begins outside the disc."""
        from_disc = points_mm(truth.geometry, (200, 200)) - np.asarray(truth.disc.centre_mm)
        angle = np.rad2deg(np.arctan2(from_disc[..., 1], from_disc[..., 0])) % 360
        far = np.linalg.norm(from_disc, axis=-1) > 1.4
        pixels = truth.thickness_map_um.copy()
        pixels[far & (angle < 360 * share)] = np.nan
        return pixels

    return gapped


def test_small_gap_on_the_circle_is_bridged() -> None:
    truth = simulated()

    profile = prepare(map_scan(truth, with_gap(0.03)(truth)))

    assert profile.quality.assessable
    assert profile.quality.score == pytest.approx(0.97, abs=0.01)
    assert float(np.abs(profile.thickness_um - truth.thickness_um).mean()) < 4.0


def test_large_gap_on_the_circle_is_not_assessable() -> None:
    truth = simulated()

    quality = prepare(map_scan(truth, with_gap(0.2)(truth))).quality

    assert not quality.assessable
    assert [reason.code for reason in quality.reasons] == [ReasonCode.SIGNAL_TOO_LOW]


def test_map_of_the_whole_retina_is_not_assessable() -> None:
    truth = simulated()

    quality = prepare(map_scan(truth, truth.thickness_map_um * np.float32(1.9))).quality

    assert [reason.code for reason in quality.reasons] == [ReasonCode.SEGMENTATION_UNRELIABLE]


@pytest.mark.parametrize("factor", [0.001, 1000.0, 8.0, 0.0])
def test_map_in_another_unit_is_refused(factor: float) -> None:
    truth = simulated()

    with pytest.raises(ScanRefused) as refused:
        prepare(map_scan(truth, truth.thickness_map_um * np.float32(factor)))

    assert refused.value.reason.code is ReasonCode.PIXELS_UNREADABLE


def without_hole(truth: SimulatedMap) -> Map:
    return np.nan_to_num(truth.thickness_map_um, nan=120.0)


def as_at_the_fovea(truth: SimulatedMap) -> Map:
    """A hole of a disc's size towards which the layer thins."""
    from_disc = points_mm(truth.geometry, (200, 200)) - np.asarray(truth.disc.centre_mm)
    distance = np.linalg.norm(from_disc, axis=-1)
    return np.where(distance < 0.7, 0.0, 30 * (distance - 0.6)).astype(np.float32)


def with_another_hole(truth: SimulatedMap) -> Map:
    rows, columns = np.indices((200, 200))
    pixels = truth.thickness_map_um.copy()
    pixels[np.hypot(rows - 170, columns - 30) < 25] = np.nan
    return pixels


MISLEADING: dict[str, Callable[[SimulatedMap], Map]] = {
    "no hole": without_hole,
    "fovea": as_at_the_fovea,
    "two holes": with_another_hole,
    "noise": lambda truth: np.random.default_rng(1).uniform(0, 200, (200, 200)).astype(np.float32),
    "even": lambda truth: np.full((200, 200), 90, np.float32),
}


@pytest.mark.parametrize("kind", MISLEADING)
def test_map_without_a_disc_is_refused(kind: str) -> None:
    truth = simulated(MapOptions(disc=DiscShape(), vessels=()))

    with pytest.raises(ScanRefused) as refused:
        prepare(map_scan(truth, MISLEADING[kind](truth)))

    assert refused.value.reason.code is ReasonCode.DISC_NOT_FOUND


@pytest.mark.parametrize("offset_mm", [1.4, 2.6])
def test_disc_too_near_the_edge_of_a_map_is_refused(offset_mm: float) -> None:
    truth = simulated(MapOptions(disc=DiscShape(centre_mm=(0.0, offset_mm))))

    with pytest.raises(ScanRefused) as refused:
        prepare(map_scan(truth))

    assert refused.value.reason.code is ReasonCode.DISC_NOT_FOUND


def test_map_without_a_grid_is_refused() -> None:
    scan = replace(map_scan(simulated()), geometry=CircleGeometry(np.arange(200.0), 3.5))

    with pytest.raises(ScanRefused) as refused:
        prepare(scan)

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED

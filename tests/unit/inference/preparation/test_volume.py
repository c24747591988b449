from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from scipy import ndimage

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry, GridGeometry, Scan, ScanKind
from inference.preparation.outer_surface import find_outer_surface
from inference.preparation.prepare import prepare
from inference.preparation.volume import circle_in_volume, disc_of
from inference.simulation.disc_shape import DiscShape
from inference.simulation.macular_volumes import simulate_macular_volume
from inference.simulation.profiles import healthy_profiles_um
from inference.simulation.rendering import Light
from inference.simulation.volume_grid import Grid
from inference.simulation.volumes import (
    Motion,
    SimulatedVolume,
    VolumeOptions,
    simulate_volume,
)
from tests.unit.inference.preparation.circles import profile_with_loss
from tests.unit.inference.preparation.volumes import DISC, SMALL, small_volume, volume_scan

Volume = NDArray[np.generic]


@pytest.fixture(scope="module")
def good() -> SimulatedVolume:
    return small_volume()


def centre_error_mm(scan: Scan, truth: SimulatedVolume) -> float:
    assert isinstance(scan.geometry, GridGeometry)
    step_mm = float(np.hypot(*scan.geometry.column_step_mm))
    surface = find_outer_surface(scan.pixels, scan.axial_um, step_mm)
    assert surface is not None
    found = disc_of(surface, scan.geometry)
    return float(np.hypot(*(np.array(found.centre_mm) - truth.disc.centre_mm)))


def test_prepare_measures_the_true_profile_of_a_volume(good: SimulatedVolume) -> None:
    profile = prepare(volume_scan(good.pixels, good.geometry))

    difference = profile.thickness_um - good.thickness_um
    assert profile.quality.assessable
    assert float(np.abs(difference).mean()) < 5.0
    assert abs(float(difference.mean())) < 2.5


def test_layers_of_a_volume_lie_in_the_picture_of_its_circle(good: SimulatedVolume) -> None:
    profile = prepare(volume_scan(good.pixels, good.geometry))

    assert profile.layers is not None
    assert profile.picture is not None
    assert profile.picture.shape[1] == len(profile.layers.ilm_row) == 768
    rows = np.rint(profile.layers.ilm_row).astype(int)
    columns = np.arange(768)
    above, below = (profile.picture[rows + step, columns] for step in (-5, 5))
    assert float(np.mean(below > above)) > 0.98


def test_circle_of_a_volume_is_the_one_around_its_disc(good: SimulatedVolume) -> None:
    circle = circle_in_volume(volume_scan(good.pixels, good.geometry))

    assert circle.kind is ScanKind.CIRCLE
    assert isinstance(circle.geometry, CircleGeometry)
    assert circle.geometry.diameter_mm == pytest.approx(3.46)
    assert circle.lateral_um == pytest.approx(14.15, abs=0.01)


@pytest.mark.parametrize(
    ("laterality", "upward"),
    [(Laterality.RIGHT, True), (Laterality.LEFT, False), (Laterality.LEFT, True)],
)
def test_prepare_gives_both_eyes_and_both_directions_one_frame(
    laterality: Laterality, upward: bool
) -> None:
    lost = profile_with_loss(285.0)
    options = VolumeOptions(grid=replace(SMALL, upward=upward), disc=DISC, vessels=())
    truth = small_volume(laterality, options, lost)

    scan = volume_scan(truth.pixels, truth.geometry, laterality)

    assert centre_error_mm(scan, truth) < 0.1
    profile = prepare(scan)
    assert profile.quality.assessable
    assert float(np.abs(profile.thickness_um - truth.thickness_um).mean()) < 5.0
    assert profile.sectors_um["TI"] < 0.75 * profile.sectors_um["TS"]


@pytest.mark.parametrize(
    "options",
    [
        VolumeOptions(grid=SMALL, disc=DiscShape(centre_mm=(-0.8, 0.8))),
        VolumeOptions(grid=SMALL, disc=DiscShape(radii_mm=(0.75, 0.95), turned_degree=30)),
        VolumeOptions(grid=SMALL, disc=DISC, motion=Motion(axial_um=20)),
        VolumeOptions(grid=SMALL, disc=DISC, tilt_um=(100, -50)),
        VolumeOptions(grid=SMALL, disc=replace(DISC, atrophy_mm=0.4)),
        VolumeOptions(grid=SMALL, disc=DISC, light=Light(signal_factor=0.1, averaged_frames=1)),
        VolumeOptions(grid=Grid(73, 496, 256, axial_um=3.872), disc=DISC),
    ],
    ids=["off the middle", "oval", "motion", "tilt", "atrophy", "low signal", "73 by 256"],
)
def test_disc_is_found_where_it_is(options: VolumeOptions) -> None:
    truth = small_volume(options=options)
    scan = volume_scan(truth.pixels, truth.geometry, axial_um=options.grid.axial_um)

    assert centre_error_mm(scan, truth) < 0.1
    profile = prepare(scan)
    assert profile.quality.assessable
    assert float(np.abs(profile.thickness_um - truth.thickness_um).mean()) < 7.0


@pytest.mark.parametrize("display", [lambda grey: grey**4, lambda grey: 0.5 * grey])
def test_disc_is_found_however_the_device_displays(
    good: SimulatedVolume, display: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    scan = volume_scan(good.pixels, good.geometry)

    assert centre_error_mm(replace(scan, pixels=display(scan.pixels)), good) < 0.1


@pytest.mark.parametrize("offset_mm", [1.4, 2.2, 2.9])
def test_disc_too_near_the_edge_is_refused(offset_mm: float) -> None:
    truth = small_volume(
        options=VolumeOptions(grid=SMALL, disc=DiscShape(centre_mm=(offset_mm, 0)))
    )

    with pytest.raises(ScanRefused) as refused:
        prepare(volume_scan(truth.pixels, truth.geometry))

    assert refused.value.reason.code is ReasonCode.DISC_NOT_FOUND


@pytest.mark.parametrize("atrophy_mm", [0.0, 0.85])
def test_macular_volume_has_no_disc(atrophy_mm: float) -> None:
    light = Light(averaged_frames=1)
    rng = np.random.default_rng(3)
    pixels = simulate_macular_volume(Laterality.LEFT, rng, SMALL, light, atrophy_mm)

    with pytest.raises(ScanRefused) as refused:
        prepare(volume_scan(pixels, SMALL.geometry(Laterality.LEFT), Laterality.LEFT))

    assert refused.value.reason.code is ReasonCode.DISC_NOT_FOUND


def noise(pixels: Volume) -> Volume:
    return np.random.default_rng(1).integers(0, 256, pixels.shape)


def coarse_noise(pixels: Volume) -> Volume:
    grain = np.random.default_rng(2).normal(size=pixels.shape).astype(np.float32)
    return np.clip(128 + 900 * ndimage.gaussian_filter(grain, 4), 0, 255)


FAULTS: dict[str, Callable[[Volume], Volume]] = {
    "black": np.zeros_like,
    "white": lambda pixels: np.full_like(pixels, 255),
    "noise": noise,
    "coarse noise": coarse_noise,
    "upside down": lambda pixels: pixels[:, ::-1],
    "negative": lambda pixels: 255 - np.asarray(pixels, np.int16),
    "B-scans shuffled": lambda pixels: np.random.default_rng(3).permutation(pixels, axis=0),
    "A-scans shuffled": lambda pixels: np.random.default_rng(4).permutation(pixels, axis=2),
    "one B-scan repeated": lambda pixels: np.repeat(pixels[68:69], len(pixels), axis=0),
    "moved out of the depth": lambda pixels: np.roll(pixels, -220, axis=1),
}


def assessable(scan: Scan) -> bool:
    try:
        return prepare(scan).quality.assessable
    except ScanRefused:
        return False


@pytest.mark.parametrize("fault", FAULTS)
def test_useless_volume_is_not_assessable(fault: str, good: SimulatedVolume) -> None:
    assert assessable(volume_scan(good.pixels, good.geometry))
    assert not assessable(volume_scan(FAULTS[fault](good.pixels), good.geometry))


@pytest.mark.parametrize(
    "path",
    ["robustness/pydicom/CT_small.dcm", "robustness/pydicom/MR_small_implicit.dcm"],
)
def test_slices_of_another_organ_are_not_assessable(shared_data: Path, path: str) -> None:
    slice_ = dcmread(shared_data / path).pixel_array.astype(np.float32)
    slice_ = 255 * (slice_ - slice_.min()) / (slice_.max() - slice_.min())
    fitted = ndimage.zoom(slice_, (512 / slice_.shape[0], 128 / slice_.shape[1]), order=1)
    rng = np.random.default_rng(1)
    stacked = fitted + rng.normal(0, 3, (128, *fitted.shape)).astype(np.float32)

    scan = volume_scan(np.clip(stacked, 0, 255), SMALL.geometry(Laterality.RIGHT))

    assert not assessable(scan)


@pytest.mark.parametrize(
    ("geometry", "shape", "code"),
    [
        (CircleGeometry(np.arange(100.0), 3.5), (100, 512, 100), "scan_pattern_unsupported"),
        (GridGeometry((0, 0), (0.06, 0), (0, 0.24)), (25, 512, 100), "scan_pattern_unsupported"),
        (GridGeometry((0, 0), (0.06, 0), (0.06, 0)), (99, 512, 100), "scan_pattern_unsupported"),
        (GridGeometry((0, 0), (0.1, 0), (0, 0.1)), (60, 512, 60), "scan_pattern_unsupported"),
        (GridGeometry((0, 0), (0.06, 0), (0, 0.06)), (5, 512, 100), "pixels_unreadable"),
    ],
    ids=["no grid", "far apart", "one line", "sparse", "few B-scans"],
)
def test_what_is_no_volume_is_refused(
    geometry: GridGeometry, shape: tuple[int, int, int], code: str, good: SimulatedVolume
) -> None:
    scan = volume_scan(np.zeros(shape), good.geometry)

    with pytest.raises(ScanRefused) as refused:
        prepare(replace(scan, geometry=geometry))

    assert refused.value.reason.code == code


def test_volume_with_values_that_are_no_numbers_is_refused(good: SimulatedVolume) -> None:
    scan = volume_scan(good.pixels, good.geometry)
    scan.pixels[3, 4, 5] = np.nan

    with pytest.raises(ScanRefused, match="no numbers"):
        prepare(scan)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_prepare_measures_full_volumes_of_both_eyes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    thickness_um = healthy_profiles_um(rng, np.array([60.0]))[0]
    laterality = tuple(Laterality)[seed % 2]
    truth = simulate_volume(thickness_um, laterality, rng)
    scan = volume_scan(truth.pixels, truth.geometry, laterality, axial_um=1.953)

    assert centre_error_mm(scan, truth) < 0.1
    profile = prepare(scan)
    assert profile.quality.assessable
    assert float(np.abs(profile.thickness_um - truth.thickness_um).mean()) < 5.0

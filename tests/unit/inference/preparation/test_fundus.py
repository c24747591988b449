from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from core.errors import ScanRefused
from core.values.fundus import FUNDUS_SHAPE, RING_RADII, PreparedFundus
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Device, FundusGeometry, Scan, ScanKind
from inference.preparation.fundus import prepare_fundus
from inference.simulation.fundus_cameras import CameraKind
from inference.simulation.fundus_photographs import FundusPhotograph
from tests.unit.inference.fundus_eyes import GOOD_CAMERA, take
from tests.unit.inference.preparation.circles import scan_with

BRIGHTNESS, STRIATION, VESSEL, SEEN = range(4)


def make_scan(pixels: np.ndarray, laterality: Laterality = Laterality.RIGHT) -> Scan:
    return Scan(
        kind=ScanKind.FUNDUS,
        pixels=pixels.astype(np.float32),
        axial_um=float("nan"),
        lateral_um=float("nan"),
        geometry=FundusGeometry(laterality is Laterality.LEFT, superior_is_up=True),
        laterality=laterality,
        acquired_at=None,
        age_years=60.0,
        device=Device(),
    )


def retina(shared_data: Path) -> np.ndarray:
    with Image.open(shared_data / "fundus" / "skimage_retina.jpg") as image:
        return np.asarray(image, np.float32) / 255


def miss_in_disc_diameters(prepared: PreparedFundus, taken: FundusPhotograph) -> float:
    assert prepared.disc is not None
    view = taken.view
    away = np.hypot(
        prepared.disc.centre_row - view.disc_row, prepared.disc.centre_column - view.disc_column
    )
    return float(away / (2 * taken.eye.disc_radius_degree * view.px_per_degree))


@pytest.mark.parametrize("kind", CameraKind)
@pytest.mark.parametrize("laterality", Laterality)
def test_disc_is_found_with_its_size(kind: CameraKind, laterality: Laterality) -> None:
    taken = take(7, laterality, replace(GOOD_CAMERA, kind=kind))

    prepared = prepare_fundus(taken.scan)

    assert prepared.quality.assessable
    assert miss_in_disc_diameters(prepared, taken) < 0.1
    assert prepared.disc is not None
    true_px = 2 * taken.eye.disc_radius_degree * taken.view.px_per_degree
    assert prepared.disc.diameter_px == pytest.approx(true_px, rel=0.15)


def test_both_eyes_share_one_frame() -> None:
    right, left = (
        prepare_fundus(take(11, laterality, GOOD_CAMERA).scan).ring for laterality in Laterality
    )

    assert right.shape == left.shape == FUNDUS_SHAPE
    for channel in (BRIGHTNESS, VESSEL):
        alike = np.corrcoef(right[:, :, channel].ravel(), left[:, :, channel].ravel())[0, 1]
        turned = np.corrcoef(right[:, :, channel].ravel(), left[::-1, :, channel].ravel())[0, 1]
        assert alike > 0.85
        assert turned < alike - 0.1


def test_photograph_upside_down_gives_the_same_ring() -> None:
    scan = take(11, Laterality.RIGHT, GOOD_CAMERA).scan
    flipped = replace(
        scan,
        pixels=np.ascontiguousarray(scan.pixels[::-1]),
        geometry=FundusGeometry(temporal_is_right=False, superior_is_up=False),
    )

    upright, turned = prepare_fundus(scan).ring, prepare_fundus(flipped).ring

    assert np.corrcoef(upright[:, :, BRIGHTNESS].ravel(), turned[:, :, BRIGHTNESS].ravel())[
        0, 1
    ] == pytest.approx(1, abs=0.02)


def test_brightness_is_counted_from_the_retina_around_the_disc() -> None:
    ring = prepare_fundus(take(7, Laterality.RIGHT, GOOD_CAMERA).scan).ring

    assert np.median(ring[:, RING_RADII >= 1.3, BRIGHTNESS]) == pytest.approx(0, abs=0.01)
    assert np.median(ring[:, RING_RADII < 0.8, BRIGHTNESS]) > 0.2


def test_picture_shows_disc_and_ring_and_keeps_its_shape() -> None:
    scan = take(7, Laterality.RIGHT, replace(GOOD_CAMERA, size_px=1024)).scan

    prepared = prepare_fundus(scan)

    rows, columns, bands = prepared.picture.shape
    assert bands == 3
    assert max(rows, columns) == 768
    assert rows / columns == pytest.approx(scan.pixels.shape[0] / scan.pixels.shape[1], rel=0.01)
    assert np.any(np.all(np.abs(prepared.picture * 255 - (255, 220, 80)) < 1, axis=2))


def test_real_photograph_is_read_as_the_left_eye_it_is(shared_data: Path) -> None:
    prepared = prepare_fundus(make_scan(retina(shared_data), Laterality.LEFT))

    assert prepared.quality.assessable
    assert prepared.notes == ()
    assert prepared.disc is not None
    # Read off the picture by eye.
    assert prepared.disc.centre_row == pytest.approx(645, abs=25)
    assert prepared.disc.centre_column == pytest.approx(215, abs=25)
    assert prepared.disc.diameter_px == pytest.approx(195, rel=0.12)


def test_real_photograph_of_the_other_eye_is_refused(shared_data: Path) -> None:
    with pytest.raises(ScanRefused, match="Image Laterality") as refused:
        prepare_fundus(make_scan(retina(shared_data), Laterality.RIGHT))

    assert refused.value.reason.code is ReasonCode.LATERALITY_CONFLICT


def test_real_infrared_picture_has_its_dark_disc_found(shared_data: Path) -> None:
    path = shared_data / "oct" / "spectralis_circle_od" / "localizer_op.dcm"
    grey = pydicom.dcmread(path).pixel_array[:, :, np.newaxis] / 255

    prepared = prepare_fundus(make_scan(grey, Laterality.RIGHT))

    assert prepared.quality.assessable
    assert prepared.disc is not None
    # Read off the picture by eye.
    assert prepared.disc.centre_row == pytest.approx(345, abs=25)
    assert prepared.disc.centre_column == pytest.approx(470, abs=25)
    assert prepared.disc.diameter_px == pytest.approx(160, rel=0.15)


def test_mirrored_photograph_is_refused() -> None:
    scan = take(7, Laterality.RIGHT, GOOD_CAMERA).scan
    mirrored = replace(scan, pixels=np.ascontiguousarray(scan.pixels[:, ::-1]))

    with pytest.raises(ScanRefused) as refused:
        prepare_fundus(mirrored)

    assert refused.value.reason.code is ReasonCode.LATERALITY_CONFLICT


def test_known_scale_bounds_the_disc() -> None:
    taken = take(7, Laterality.RIGHT, GOOD_CAMERA)
    geometry = FundusGeometry(
        temporal_is_right=False,
        superior_is_up=True,
        pixel_degree=1 / taken.view.px_per_degree,
    )

    prepared = prepare_fundus(replace(taken.scan, geometry=geometry))

    assert prepared.quality.assessable
    assert miss_in_disc_diameters(prepared, taken) < 0.1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda pixels: 0 * pixels, ReasonCode.SIGNAL_TOO_LOW),
        (lambda pixels: 0.05 * pixels, ReasonCode.SIGNAL_TOO_LOW),
        (lambda pixels: np.minimum(6 * pixels, 1), ReasonCode.SIGNAL_TOO_LOW),
        (lambda pixels: gaussian_filter(pixels, (8, 8, 0)), ReasonCode.SIGNAL_TOO_LOW),
    ],
    ids=["black", "dark", "overexposed", "blurred"],
)
def test_poor_photograph_is_not_assessable(change: object, code: ReasonCode) -> None:
    assert callable(change)
    scan = take(7, Laterality.RIGHT, GOOD_CAMERA).scan

    prepared = prepare_fundus(replace(scan, pixels=change(scan.pixels).astype(np.float32)))

    assert not prepared.quality.assessable
    assert code in {reason.code for reason in prepared.quality.reasons}


def test_disc_at_the_edge_of_the_picture_is_not_assessable() -> None:
    taken = take(7, Laterality.RIGHT, GOOD_CAMERA)
    cut = round(taken.view.disc_column)
    pixels = taken.scan.pixels[:, :cut] if cut > 384 else taken.scan.pixels[:, cut:]

    prepared = prepare_fundus(replace(taken.scan, pixels=np.ascontiguousarray(pixels)))

    assert not prepared.quality.assessable


def test_other_kinds_of_scan_are_refused() -> None:
    with pytest.raises(ScanRefused, match="not a photograph") as refused:
        prepare_fundus(scan_with(np.zeros((496, 768))))

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED


def test_tiny_photograph_is_refused() -> None:
    with pytest.raises(ScanRefused, match="Export it again") as refused:
        prepare_fundus(make_scan(np.full((100, 400, 3), 0.5)))

    assert refused.value.reason.code is ReasonCode.PIXELS_UNREADABLE

"""The kept picture stands upright, whatever way it came, and the circle lies on its disc."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from core.values.fundus import FUNDUS_SHAPE, FundusDisc, PreparedFundus
from core.values.fundus_place import FundusSource
from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE, Profile, Quality
from core.values.scan import (
    CircleGeometry,
    CircleOnPicture,
    Device,
    FundusGeometry,
    Geometry,
    GridGeometry,
    Scan,
    ScanKind,
)
from dicom_node.devices.reading import read_scan
from inference.examination import Examination, examine
from inference.kept_fundus import LONG_SIDE_PX, MM_PER_DEGREE, KeptFundus, fundus_of
from inference.model_card import ModelKind
from inference.stored_scan import StoredScan
from tests.builders.opt import build_circle_opt, build_localizer
from tests.conftest import REPOSITORY

_EYES = list(Laterality)
_TURNS = [("L", "F"), ("R", "F"), ("L", "H"), ("R", "H")]
_PIXEL_MM = 0.0117
_GRIDS = REPOSITORY / "sample_dicom/disc_grids"


def _turned(pixels: NDArray[np.generic], turn: tuple[str, str]) -> NDArray[np.generic]:
    pixels = pixels if turn[0] == "L" else pixels[:, ::-1]
    return pixels if turn[1] == "F" else pixels[::-1]


def _localizer(eye: Laterality, turn: tuple[str, str] = ("L", "F")) -> Dataset:
    localizer = build_localizer(laterality=eye, PatientOrientation=list(turn))
    localizer.PixelData = np.ascontiguousarray(_turned(localizer.pixel_array, turn)).tobytes()
    return localizer


def _scan(eye: Laterality, kind: ScanKind, geometry: Geometry, pixels: NDArray[np.float32]) -> Scan:
    return Scan(kind, pixels, 3.9, 14.0, geometry, eye, None, 60.0, Device())


def _examined(scan: Scan, circle: CircleGeometry, picture: NDArray[np.float32]) -> Examination:
    profile = Profile(np.full(768, 90, np.float32), Quality(True, 0.9), None, picture, circle)
    return Examination(Device(), scan.laterality, None, 60.0, scan=scan, profile=profile)


def _around(kept: KeptFundus, least: float, most: float) -> float:
    """Return the mean brightness between two distances from the circle's centre, in radii."""
    place = kept.place
    row, column = np.indices(kept.pixels.shape[:2]) + 0.5
    distance = np.hypot(row - place.centre_row, column - place.centre_column) / place.radius
    return float(kept.pixels[(distance >= least) & (distance < most)].mean())


@pytest.mark.parametrize("eye", _EYES)
@pytest.mark.parametrize("turn", _TURNS)
def test_localizer_is_kept_upright_with_the_circle_around_its_disc(
    eye: Laterality, turn: tuple[str, str]
) -> None:
    localizer = _localizer(eye, turn)
    scan = read_scan(build_circle_opt(laterality=eye))
    assert isinstance(scan.geometry, CircleGeometry)
    drawn = scan.geometry.on_picture
    assert drawn is not None
    as_it_came = CircleOnPicture(
        drawn.row if turn[1] == "F" else 768 - drawn.row,
        drawn.column if turn[0] == "L" else 768 - drawn.column,
        drawn.radius,
    )
    circle = replace(scan.geometry, on_picture=as_it_came)
    examined = _examined(replace(scan, geometry=circle), circle, scan.pixels)

    kept = fundus_of(StoredScan(Dataset(), localizer), examined)
    upright = fundus_of(
        StoredScan(Dataset(), _localizer(eye)), _examined(scan, scan.geometry, scan.pixels)
    )

    assert kept is not None
    assert upright is not None
    assert kept.place == upright.place
    assert np.array_equal(kept.pixels, upright.pixels)
    assert kept.pixels.shape == (LONG_SIDE_PX, LONG_SIDE_PX)
    # The disc is dark, and the retina around it bright.
    assert _around(kept, 0, 0.35) < 0.75 * _around(kept, 0.6, 1.1)
    nasal_of_middle = kept.place.centre_column > LONG_SIDE_PX / 2
    assert nasal_of_middle is (eye is Laterality.RIGHT)


@pytest.mark.parametrize("eye", _EYES)
def test_scan_with_its_localizer_tells_its_place_and_scale(eye: Laterality) -> None:
    stored = StoredScan(build_circle_opt(laterality=eye), build_localizer(laterality=eye))

    kept = fundus_of(stored, examine(stored, {ModelKind.PROFILE: (20.0, 92.0)}))

    assert kept is not None
    assert kept.place.source is FundusSource.LOCALIZER
    assert kept.place.is_scale_known
    assert kept.place.radius / kept.place.pixels_per_degree == pytest.approx(6, abs=0.01)


@pytest.mark.parametrize("eye", _EYES)
@pytest.mark.parametrize("turn", _TURNS)
def test_circle_of_a_volume_is_found_on_its_localizer(
    eye: Laterality, turn: tuple[str, str]
) -> None:
    """The frame of the grid begins in the corner of the picture as it came."""
    row, column = 300.0, 500.0
    left_mm = column * _PIXEL_MM * (1 if turn[0] == "L" else -1)
    superior_mm = row * _PIXEL_MM * (-1 if turn[1] == "F" else 1)
    temporal_mm = -left_mm if eye is Laterality.RIGHT else left_mm
    circle = CircleGeometry(PROFILE_ANGLES_DEGREE, 3.46, centre_mm=(temporal_mm, superior_mm))
    grid = GridGeometry((0, 0), (0.06, 0), (0, -0.06), picture_pixel_mm=_PIXEL_MM)
    scan = _scan(eye, ScanKind.VOLUME, grid, np.zeros((10, 20, 30), np.float32))

    kept = fundus_of(
        StoredScan(Dataset(), _localizer(eye, turn)),
        _examined(scan, circle, np.zeros((20, 768), np.float32)),
    )

    assert kept is not None
    scale = LONG_SIDE_PX / 768
    upright_row = row if turn[1] == "F" else 768 - row
    upright_column = column if turn[0] == "L" else 768 - column
    assert kept.place.centre_row == pytest.approx(upright_row * scale, abs=0.01)
    assert kept.place.centre_column == pytest.approx(upright_column * scale, abs=0.01)
    assert kept.place.radius == pytest.approx(3.46 / 2 / _PIXEL_MM * scale, abs=0.01)


@pytest.mark.parametrize("eye", _EYES)
@pytest.mark.parametrize("turn", _TURNS)
def test_map_is_kept_upright_with_its_centre(eye: Laterality, turn: tuple[str, str]) -> None:
    """A bright spot, up and to the temple, marks which way the map is kept."""
    rows, columns, row_mm, column_mm = 60, 120, 0.1, 0.05
    left = ((np.arange(columns) + 0.5) * column_mm - 3.0) * (1 if turn[0] == "L" else -1)
    superior = ((np.arange(rows) + 0.5) * row_mm - 3.0) * (-1 if turn[1] == "F" else 1)
    temporal = left * (-1 if eye is Laterality.RIGHT else 1)
    spot = np.hypot(temporal[None, :] - 1.5, superior[:, None] - 1.0) < 0.6
    picture = np.where(spot, 1.0, 0.2).astype(np.float32)
    grid = GridGeometry(
        (float(temporal[0]), float(superior[0])),
        (float(temporal[1] - temporal[0]), 0.0),
        (0.0, float(superior[1] - superior[0])),
    )
    circle = CircleGeometry(PROFILE_ANGLES_DEGREE, 3.46, centre_mm=(0.0, 0.0))
    scan = _scan(eye, ScanKind.THICKNESS_MAP, grid, picture * 250)

    kept = fundus_of(StoredScan(Dataset(), _localizer(eye)), _examined(scan, circle, picture))

    assert kept is not None
    assert kept.pixels.shape == (LONG_SIDE_PX, LONG_SIDE_PX)
    assert (kept.place.centre_row, kept.place.centre_column) == pytest.approx((320, 320), abs=0.1)
    assert kept.place.pixels_per_degree == pytest.approx(MM_PER_DEGREE * LONG_SIDE_PX / 6, rel=1e-3)
    bright_row, bright_column = np.argwhere(kept.pixels > 200).mean(axis=0)
    assert bright_row == pytest.approx(320 - 1.0 * LONG_SIDE_PX / 6, abs=6)
    to_the_right = -1.5 if eye is Laterality.RIGHT else 1.5
    assert bright_column == pytest.approx(320 + to_the_right * LONG_SIDE_PX / 6, abs=6)


@pytest.mark.parametrize("eye", _EYES)
@pytest.mark.parametrize("is_upright", [True, False])
def test_photograph_is_kept_upright_with_its_ring(eye: Laterality, is_upright: bool) -> None:
    temporal_is_right = (eye is Laterality.LEFT) is is_upright
    geometry = FundusGeometry(temporal_is_right, superior_is_up=is_upright, pixel_degree=0.05)
    pixels = np.zeros((300, 400, 3), np.float32)
    pixels[40:60, 90:110] = 1.0
    disc = FundusDisc(centre_row=50.0, centre_column=100.0, diameter_px=20.0)
    ring = np.zeros(FUNDUS_SHAPE, np.float32)
    prepared = PreparedFundus(ring, Quality(True, 0.9), disc, pixels)
    scan = _scan(eye, ScanKind.FUNDUS, geometry, pixels)
    examined = Examination(Device(), eye, None, 60.0, scan=scan, fundus=prepared)

    kept = fundus_of(StoredScan(Dataset()), examined)

    assert kept is not None
    assert kept.pixels.shape == (300, 400, 3)
    place = kept.place
    assert (place.centre_row, place.centre_column) == ((50, 100) if is_upright else (250, 300))
    assert kept.pixels[int(place.centre_row), int(place.centre_column)].tolist() == [255] * 3
    assert (place.radius, place.pixels_per_degree, place.is_scale_known) == (22.0, 20.0, True)


def test_photograph_without_a_scale_takes_a_usual_disc() -> None:
    geometry = FundusGeometry(temporal_is_right=False, superior_is_up=True)
    pixels = np.zeros((300, 400, 1), np.float32)
    disc = FundusDisc(50.0, 100.0, diameter_px=58.0)
    prepared = PreparedFundus(np.zeros(FUNDUS_SHAPE, np.float32), Quality(True, 1), disc, pixels)
    scan = _scan(Laterality.RIGHT, ScanKind.FUNDUS, geometry, pixels)

    kept = fundus_of(
        StoredScan(Dataset()),
        Examination(Device(), Laterality.RIGHT, None, 60.0, scan=scan, fundus=prepared),
    )

    assert kept is not None
    assert (kept.place.pixels_per_degree, kept.place.is_scale_known) == (10.0, False)


def test_result_stands_without_a_localizer_that_cannot_be_read() -> None:
    localizer = build_localizer()
    localizer.PixelData = localizer.PixelData[:1000]
    stored = StoredScan(build_circle_opt(), localizer)
    examined = examine(stored, {ModelKind.PROFILE: (20.0, 92.0)})

    assert examined.reasons == ()
    assert fundus_of(stored, examined) is None


def test_scan_without_a_localizer_keeps_no_picture_of_the_fundus() -> None:
    stored = StoredScan(build_circle_opt())

    assert fundus_of(stored, examine(stored, {ModelKind.PROFILE: (20.0, 92.0)})) is None


def test_refused_scan_keeps_no_picture_of_the_fundus() -> None:
    stored = StoredScan(build_circle_opt(truncated=True), build_localizer())

    assert fundus_of(stored, examine(stored, {ModelKind.PROFILE: (20.0, 92.0)})) is None


def test_circle_of_the_sample_volume_lies_around_the_disc_of_its_localizer() -> None:
    files = (dcmread(_GRIDS / f"right_{name}.dcm") for name in ("volume", "localizer_op"))
    stored = StoredScan(*files)

    kept = fundus_of(stored, examine(stored, {ModelKind.PROFILE: (20.0, 92.0)}))

    assert kept is not None
    assert _around(kept, 0, 0.35) < 0.75 * _around(kept, 0.6, 1.1)

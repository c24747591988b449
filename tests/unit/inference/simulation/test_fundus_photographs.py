from dataclasses import replace

import numpy as np
import pytest

from core.values.laterality import Laterality
from core.values.scan import FundusGeometry, ScanKind
from inference.simulation.fundus_cameras import CameraKind, draw_camera
from tests.unit.inference.fundus_eyes import GOOD_CAMERA, take


@pytest.mark.parametrize(
    ("kind", "bands"),
    [(CameraKind.COLOUR, 3), (CameraKind.RED_FREE, 1), (CameraKind.INFRARED, 1)],
)
def test_photograph_is_a_scan_of_its_kind(kind: CameraKind, bands: int) -> None:
    scan = take(3, Laterality.LEFT, replace(GOOD_CAMERA, kind=kind)).scan

    assert scan.kind is ScanKind.FUNDUS
    assert scan.pixels.shape[0] == 768
    assert scan.pixels.shape[2] == bands
    assert scan.pixels.dtype == np.float32
    assert scan.pixels.min() >= 0
    assert scan.pixels.max() <= 1
    assert scan.geometry == FundusGeometry(temporal_is_right=True, superior_is_up=True)


def test_fovea_is_dark_on_the_temporal_side() -> None:
    for laterality in Laterality:
        taken = take(5, laterality, replace(GOOD_CAMERA, field_degree=50.0))
        temporal, superior = taken.eye.fovea_degree
        distance = np.hypot(temporal, superior)
        angle = np.rad2deg(np.arctan2(superior, temporal))
        row, column = taken.view.pixel_of(np.array([distance, 9.0]), np.array([angle, 0.0]))
        side = 1 if laterality is Laterality.LEFT else -1
        assert np.sign(column[0] - taken.view.disc_column) == side
        if not 12 < column[0] < taken.scan.pixels.shape[1] - 12:
            continue
        green = taken.scan.pixels[:, :, 1]
        fovea, between = (
            np.median(green[int(y) - 8 : int(y) + 8, int(x) - 8 : int(x) + 8])
            for y, x in zip(row, column, strict=True)
        )
        assert fovea < 0.85 * between


def test_same_seed_gives_the_same_photograph() -> None:
    assert np.array_equal(take(9).scan.pixels, take(9).scan.pixels)


def test_cameras_differ() -> None:
    rng = np.random.default_rng(1)
    cameras = [draw_camera(rng) for _ in range(60)]

    assert {camera.kind for camera in cameras} == set(CameraKind)
    assert len({camera.field_degree for camera in cameras}) == 4
    assert draw_camera(rng, CameraKind.INFRARED).kind is CameraKind.INFRARED

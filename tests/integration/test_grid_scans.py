"""A simulated eye through a volume or a thickness map in DICOM, back to its profile."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from core.values.laterality import Laterality
from core.values.profile import Profile
from core.values.scan import ScanKind
from dicom_node.devices.reading import read_scan
from inference.preparation.prepare import prepare
from inference.simulation.disc_shape import DiscShape
from inference.simulation.thickness_maps import MapOptions, simulate_thickness_map
from inference.simulation.volume_grid import Grid
from inference.simulation.volumes import VolumeOptions, simulate_volume
from sample_dicom.grid_eye import scan_thickness_map, scan_volume
from sample_dicom.oct_frames import oct_frames_image
from sample_dicom.thickness_opm import thickness_map_image
from tests.builders.opt import build_localizer, build_study, encoded
from tests.unit.inference.preparation.circles import profile_with_loss

GRID = Grid(b_scans=100, rows=512, columns=100, axial_um=3.9)
#: Not in the middle of the field, where a mirrored disc would look right.
DISC = DiscShape(centre_mm=(0.25, -0.2))
#: Fibres lost below, towards the temple: no mirror image of the eye has the same profile.
LOSS_UM = profile_with_loss(centre_degree=300.0)
STUDY = build_study()


def received(dataset: Dataset) -> Dataset:
    return dcmread(BytesIO(encoded(dataset)))


def error_um(profile: Profile, truth_um: NDArray[np.float32]) -> float:
    assert profile.quality.assessable, profile.quality.reasons
    return float(np.abs(profile.thickness_um - truth_um).mean())


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("upward", [False, True])
def test_volume_in_dicom_gives_the_profile_of_the_eye(laterality: Laterality, upward: bool) -> None:
    grid = replace(GRID, upward=upward)
    options = VolumeOptions(grid=grid, disc=DISC)
    truth = simulate_volume(LOSS_UM, laterality, np.random.default_rng(3), options)
    written = scan_volume(STUDY, laterality, LOSS_UM, np.random.default_rng(3), options)

    scan = read_scan(
        received(oct_frames_image(STUDY, written)), build_localizer(laterality=laterality)
    )

    assert (scan.kind, scan.notes) == (ScanKind.VOLUME, ())
    assert error_um(prepare(scan), truth.thickness_um) < 5.0


@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("upward", [False, True])
def test_thickness_map_in_dicom_gives_the_profile_of_the_eye(
    laterality: Laterality, upward: bool
) -> None:
    grid = replace(GRID, upward=upward)
    options = MapOptions(grid=grid, disc=DISC)
    truth = simulate_thickness_map(LOSS_UM, laterality, np.random.default_rng(3), options)
    written = scan_thickness_map(STUDY, laterality, LOSS_UM, np.random.default_rng(3), options)

    scan = read_scan(
        received(thickness_map_image(STUDY, written)), build_localizer(laterality=laterality)
    )

    assert (scan.kind, scan.notes) == (ScanKind.THICKNESS_MAP, ())
    assert error_um(prepare(scan), truth.thickness_um) < 5.0

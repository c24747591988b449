from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry
from inference.preparation.eye_movement import jumps_mm
from inference.preparation.prepare import prepare
from inference.simulation.disc_shape import DiscShape
from inference.simulation.volumes import Motion, VolumeOptions
from tests.unit.inference.preparation.volumes import SMALL, small_volume, volume_scan

#: As many A-scans as a small volume, nearer to each other.
DENSE = replace(SMALL, width_mm=4.8, height_mm=4.8)
STEP_MM = 0.03
GRID = GridGeometry((0, 0), (STEP_MM, 0), (0, STEP_MM))


def vessels_mm(jump_mm: float, at: int) -> NDArray[np.float32]:
    """Vessels that run aslant and part, seen from above, with a jump after B-scan `at`."""
    row, column = np.indices((120, 200)) * STEP_MM
    column = column + np.where(row > (at + 0.5) * STEP_MM, jump_mm, 0.0)
    picture = np.random.default_rng(1).normal(0, 0.05, row.shape)
    for begins_mm, course in ((1.2, 0.5), (2.0, 0.2), (3.1, -0.1), (3.9, 0.6), (4.8, -0.4)):
        picture -= np.exp(-(((column - begins_mm - course * (row - 1.8)) / 0.06) ** 2))
    return np.asarray(picture, np.float32)


@pytest.mark.parametrize("jump_mm", [-0.45, -0.18, 0.18, 0.3])
def test_jump_of_vessels_is_measured_where_it_is(jump_mm: float) -> None:
    jumps = jumps_mm(vessels_mm(jump_mm, at=70), GRID)

    assert int(np.abs(jumps).argmax()) == 70
    assert abs(jumps[70]) == pytest.approx(abs(jump_mm), abs=0.05)
    assert float(np.abs(np.delete(jumps, 70)).max()) < 0.1


def test_vessels_that_run_aslant_do_not_jump() -> None:
    assert float(np.abs(jumps_mm(vessels_mm(0.0, at=70), GRID)).max()) < 0.1


def test_picture_without_structure_does_not_jump() -> None:
    assert not jumps_mm(np.ones((40, 60), np.float32), GRID).any()


@pytest.mark.parametrize("laterality", Laterality)
def test_volume_during_which_the_eye_looked_aside_is_refused(laterality: Laterality) -> None:
    aside = VolumeOptions(grid=DENSE, disc=DiscShape(), motion=Motion(saccade_mm=(0.3, 0)))
    moved = small_volume(laterality, aside)

    with pytest.raises(ScanRefused, match="The eye moved") as refused:
        prepare(volume_scan(moved.pixels, moved.geometry, laterality))

    assert refused.value.reason.code is ReasonCode.SEGMENTATION_UNRELIABLE

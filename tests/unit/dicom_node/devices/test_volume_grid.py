import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from dicom_node.devices.frame_lines import FrameLines
from dicom_node.devices.volume_grid import fit_grid

COLUMNS = 100


def lines(first_mm: NDArray[np.float64], step_mm: tuple[float, float] = (0.06, 0.0)) -> FrameLines:
    return FrameLines(first_mm, np.tile(step_mm, (len(first_mm), 1)))


def stack(frames: int = 40, distance_mm: float = 0.15, shift_mm: float = 0.0) -> FrameLines:
    """B-scans from below up, each shifted a little along its line against the one before."""
    places = np.arange(frames)
    return lines(np.column_stack((shift_mm * places, distance_mm * places)))


def test_grid_runs_from_the_upper_edge_down() -> None:
    grid = fit_grid(stack(), COLUMNS, Laterality.RIGHT)

    np.testing.assert_array_equal(grid.order, np.arange(40)[::-1])
    np.testing.assert_allclose(grid.geometry.origin_mm, (0.0, 39 * 0.15), atol=1e-12)
    np.testing.assert_allclose(grid.geometry.row_step_mm, (0.0, -0.15), atol=1e-12)


@pytest.mark.parametrize(("laterality", "sign"), [(Laterality.RIGHT, -1), (Laterality.LEFT, 1)])
def test_grid_has_the_temple_on_the_side_of_the_eye(laterality: Laterality, sign: int) -> None:
    grid = fit_grid(stack(), COLUMNS, laterality)

    np.testing.assert_allclose(grid.geometry.column_step_mm, (sign * 0.06, 0.0))


def test_grid_of_upright_frames_runs_to_the_patients_left() -> None:
    places = np.array([3.0, 1.0, 2.0, 0.0])
    upright = lines(np.column_stack((0.15 * places, np.zeros(4))), step_mm=(0.0, -0.06))

    grid = fit_grid(upright, COLUMNS, Laterality.LEFT)

    np.testing.assert_array_equal(grid.order, [3, 1, 2, 0])
    np.testing.assert_allclose(grid.geometry.row_step_mm, (0.15, 0.0), atol=1e-12)


def test_grid_forgives_the_rounding_to_pixels_of_a_localizer() -> None:
    exact = stack(frames=500, distance_mm=0.012)
    rounded = FrameLines(np.round(exact.first_mm / 0.0117) * 0.0117, exact.step_mm)

    grid = fit_grid(rounded, COLUMNS, Laterality.RIGHT)

    np.testing.assert_allclose(grid.geometry.row_step_mm, (0.0, -0.012), atol=1e-4)


def fan() -> FrameLines:
    angles = np.radians(np.arange(0, 180, 15))
    course = np.column_stack((np.cos(angles), np.sin(angles)))
    return FrameLines(-3.0 * course, 0.06 * course)


@pytest.mark.parametrize(
    "frames",
    [fan(), stack(frames=1), stack(distance_mm=0.0), stack(shift_mm=0.1), lines(np.zeros((9, 2)))],
    ids=["radial", "one", "on top", "sheared", "one place"],
)
def test_frames_that_make_no_grid_are_refused(frames: FrameLines) -> None:
    with pytest.raises(ScanRefused) as refused:
        fit_grid(frames, COLUMNS, Laterality.RIGHT)

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED


@pytest.mark.parametrize("missing", [5, 20, 37])
def test_volume_that_lacks_a_frame_is_refused(missing: int) -> None:
    gap = lines(np.delete(stack().first_mm, missing, axis=0))

    with pytest.raises(ScanRefused) as refused:
        fit_grid(gap, COLUMNS, Laterality.RIGHT)

    assert refused.value.reason.code is ReasonCode.SCAN_PATTERN_UNSUPPORTED

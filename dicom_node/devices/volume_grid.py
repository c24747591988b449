"""The grid on which the A-scans of a volume lie."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry
from dicom_node.devices.frame_lines import FrameLines

#: Largest departure of a frame's end from the grid, as a share of the length of the frames.
_PARALLEL_SHARE: Final = 0.02
#: Largest departure of a frame from its place, as a share of the distance between frames; in any
#: case the millimetres that come of rounding to whole pixels of a localizer.
_PLACE_SHARE: Final = 0.25
_ROUNDING_MM: Final = 0.012
#: Frames and columns must cross nearly at right angles.
_LARGEST_COSINE: Final = 0.2


@dataclass(frozen=True)
class VolumeGrid:
    """The frames of a volume in the order of their places.

    Attributes
    ----------
    order
        int64, shape (frames,): index of the frame at each place, from the upper edge of the retina
        down, or from the patient's right to the left where the frames run up and down.
    geometry
        Where the A-scans lie, in the frame both eyes share.
    """

    order: NDArray[np.int64]
    geometry: GridGeometry


def fit_grid(lines: FrameLines, columns: int, laterality: Laterality) -> VolumeGrid:
    """Return the one grid all frames lie on.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` if the frames are not parallel and evenly spaced.
    """
    step_mm = lines.step_mm.mean(axis=0)
    length_mm = float(np.hypot(*step_mm)) * columns
    strays = np.hypot(*((lines.step_mm - step_mm) * columns).T)
    if length_mm == 0 or strays.max() > _PARALLEL_SHARE * length_mm:
        raise _unsupported("the frames are not parallel lines of one length")
    order = _by_place(lines.first_mm, step_mm)
    origin_mm, row_step_mm = _fit_places(lines.first_mm[order])
    cosine = abs(row_step_mm @ step_mm) * columns / (np.hypot(*row_step_mm) * length_mm)
    if cosine > _LARGEST_COSINE:
        raise _unsupported("the frames are shifted against one another along their lines")
    geometry = GridGeometry(
        origin_mm=_temporal(origin_mm, laterality),
        column_step_mm=_temporal(step_mm, laterality),
        row_step_mm=_temporal(row_step_mm, laterality),
        picture_pixel_mm=lines.pixel_mm,
    )
    return VolumeGrid(order, geometry)


def _by_place(first_mm: NDArray[np.float64], step_mm: NDArray[np.float64]) -> NDArray[np.int64]:
    across = np.array([-step_mm[1], step_mm[0]])
    # Downwards where the frames lie across the eye, otherwise to the patient's left.
    is_backwards = across[1] > 0 if abs(across[1]) >= abs(across[0]) else across[0] < 0
    places = first_mm @ across * (-1 if is_backwards else 1)
    return np.argsort(places, kind="stable")


def _fit_places(
    first_mm: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the place of the first frame and the step to the next, each shape (2,), in mm."""
    count = np.arange(len(first_mm), dtype=np.float64)
    design = np.column_stack((np.ones_like(count), count))
    (origin_mm, row_step_mm), _, rank, _ = np.linalg.lstsq(design, first_mm, rcond=None)
    distance_mm = float(np.hypot(*row_step_mm))
    if rank < 2 or distance_mm == 0:
        raise _unsupported("no two frames lie at different places")
    strays = np.hypot(*(design @ np.array((origin_mm, row_step_mm)) - first_mm).T)
    if strays.max() > max(_PLACE_SHARE * distance_mm, _ROUNDING_MM):
        raise _unsupported("the frames are not evenly spaced")
    return origin_mm, row_step_mm


def _temporal(vector: NDArray[np.float64], laterality: Laterality) -> tuple[float, float]:
    """Turn (patient's left, superior) into (temporal, superior)."""
    left, superior = (float(number) for number in vector)
    # The temple is on the patient's right of a right eye, on the left of a left eye.
    return (-left if laterality is Laterality.RIGHT else left), superior


def _unsupported(finding: str) -> ScanRefused:
    return ScanRefused(
        ReasonCode.SCAN_PATTERN_UNSUPPORTED,
        f"The frames make no volume: {finding}. No active model takes this pattern; send the "
        "circle scan or an evenly spaced volume over the optic disc.",
    )

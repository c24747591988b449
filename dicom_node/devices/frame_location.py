"""Where the A-scans of a frame lie on the localizer picture."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dicom_node.devices.attributes import numbers_of, text_of
from dicom_node.devices.functional_groups import frame_items

#: Fewer points than this fit a circle too easily to prove one.
_FEWEST_CIRCLE_POINTS: Final = 8
#: Root mean square distance from the fitted circle, as a share of its radius.
_CIRCLE_RESIDUAL: Final = 0.02
#: The widest gap between neighbouring points of a closed circle, in typical steps.
_WIDEST_GAP_STEPS: Final = 4.0
#: No picture is larger; what lies beyond is no place on it.
_FARTHEST_PIXEL: Final = 1e6
#: Distance of points from their straight line, as a share of its length.
_LINE_RESIDUAL: Final = 0.01


@dataclass(frozen=True)
class FittedCircle:
    """A circle on the localizer, in its pixels; row and column of the centre, 0 at the corner."""

    row: float
    column: float
    radius: float
    #: Root mean square distance of the points, as a share of the radius.
    residual: float


@dataclass(frozen=True)
class FrameLocation:
    """The course of one frame over the localizer.

    Attributes
    ----------
    points
        float64, shape (points, 2): row and column in localizer pixels, sub-pixel, zero at the
        corner of the first pixel; one point for each A-scan, or fewer.
    orientation
        LINEAR, NONLINEAR, TRANSVERSE, or empty where not stated.
    """

    points: NDArray[np.float64]
    orientation: str

    @cached_property
    def circle(self) -> FittedCircle | None:
        """The circle that fits the points best, None where they determine none."""
        return _fit_circle(self.points)

    @cached_property
    def turns_degree(self) -> NDArray[np.float64]:
        """Angle from each point to the next about the centre, the last one back to the first.

        float64, shape (points,), -180 to 180, in the picture: positive is counter-clockwise.
        """
        if self.circle is None:
            return np.zeros(len(self.points))
        angles = self.picture_angles_degree
        return (np.diff(angles, append=angles[:1]) + 180.0) % 360.0 - 180.0

    @cached_property
    def picture_angles_degree(self) -> NDArray[np.float64]:
        """Angle of each point about the centre: 0 right in the picture, 90 up."""
        if self.circle is None:
            return np.zeros(len(self.points))
        up = self.circle.row - self.points[:, 0]
        right = self.points[:, 1] - self.circle.column
        return np.degrees(np.arctan2(up, right))

    @property
    def is_circle(self) -> bool:
        """Whether the points run once around one closed circle, in one direction."""
        if self.orientation not in {"NONLINEAR", ""} or self.circle is None:
            return False
        if len(self.points) < _FEWEST_CIRCLE_POINTS or self.circle.residual > _CIRCLE_RESIDUAL:
            return False
        turns = self.turns_degree
        typical = float(np.median(np.abs(turns)))
        forward = turns * np.sign(turns.sum())
        # Coordinates rounded to whole pixels step back a little now and then.
        one_way = bool(forward.min() >= -typical)
        widest = float(forward.max())
        once_around = abs(abs(turns.sum()) - 360.0) < 1.0
        return one_way and once_around and widest <= _WIDEST_GAP_STEPS * typical

    @property
    def is_straight(self) -> bool:
        """Whether the points lie on one straight line."""
        if self.orientation == "LINEAR":
            return True
        ends = self.points[-1] - self.points[0]
        length = float(np.hypot(*ends))
        if self.orientation == "TRANSVERSE" or length == 0:
            return False
        offsets = self.points - self.points[0]
        distances = np.abs(offsets[:, 0] * ends[1] - offsets[:, 1] * ends[0]) / length
        return bool(distances.max() <= _LINE_RESIDUAL * length)


def read_frame_locations(dataset: Dataset, frames: int) -> tuple[FrameLocation | None, ...]:
    """Return where each frame lies on its localizer, None for one that does not say.

    Source: PS3.3 C.8.17.10: Reference Coordinates are pairs of row and column.
    """
    items = frame_items(dataset, frames, "OphthalmicFrameLocationSequence")
    return tuple(None if item is None else _read_location(item) for item in items)


def _read_location(item: Dataset) -> FrameLocation | None:
    numbers = numbers_of(item, "ReferenceCoordinates")
    if len(numbers) < 4 or len(numbers) % 2 or max(map(abs, numbers)) > _FARTHEST_PIXEL:
        return None
    points = np.array(numbers, np.float64).reshape(-1, 2)
    return FrameLocation(points, text_of(item, "OphthalmicImageOrientation").upper())


def _fit_circle(points: NDArray[np.float64]) -> FittedCircle | None:
    """Fit a circle by least squares of x² + y² = 2ax + 2by + c."""
    if len(points) < 3:
        return None
    middle = points.mean(axis=0)
    offsets = points - middle
    scale = float(np.abs(offsets).max())
    if scale == 0 or not np.isfinite(scale):
        return None
    unit = offsets / scale
    design = np.column_stack((2 * unit, np.ones(len(unit))))
    solution, _, rank, _ = np.linalg.lstsq(design, (unit**2).sum(axis=1), rcond=1e-9)
    squared = float(solution[2] + solution[0] ** 2 + solution[1] ** 2)
    if rank < 3 or squared <= 0:
        return None
    radius = np.sqrt(squared)
    distances = np.hypot(unit[:, 0] - solution[0], unit[:, 1] - solution[1])
    residual = float(np.sqrt(np.mean((distances - radius) ** 2)) / radius)
    row, column = middle + solution[:2] * scale
    return FittedCircle(float(row), float(column), float(radius * scale), residual)

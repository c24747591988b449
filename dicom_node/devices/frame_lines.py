"""Where each straight frame of a volume lies on the retina, as the patient has left and up.

Two sources tell it: the lines on the localizer, and the planes in the patient's own frame of
reference. Where an object has both they must agree on the directions.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import numbers_of
from dicom_node.devices.frame_location import read_frame_locations
from dicom_node.devices.functional_groups import frame_items
from dicom_node.devices.localizer import Localizer

#: Least cosine between the depth of a B-scan and the way into the eye, from the cornea backwards.
_STRAIGHT_INTO_THE_EYE: Final = 0.7
#: Least cosine between the directions that two sources give.
_SAME_DIRECTION: Final = 0.9
#: Nothing of a patient is farther from the origin of a frame of reference.
_FARTHEST_MM: Final = 1e5
_PLANE_NOTE: Final = (
    "The frames name no localizer: where they lie is taken from Plane Position and Plane "
    "Orientation, which devices give nominally."
)


@dataclass(frozen=True)
class FrameLines:
    """The straight lines of the frames; points are (patient's left, superior) in millimetre.

    Attributes
    ----------
    first_mm
        float64, shape (frames, 2): the first A-scan of each frame. The origin is anywhere.
    step_mm
        float64, shape (frames, 2): from one A-scan to the next.
    notes
        Warnings for people.
    pixel_mm
        Distance of neighbouring pixels of the localizer whose upper left corner is the origin; None
        where the origin is another.
    """

    first_mm: NDArray[np.float64]
    step_mm: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    pixel_mm: float | None = None


def read_frame_lines(
    dataset: Dataset, frames: int, columns: int, lateral_mm: float, localizer: Localizer
) -> FrameLines:
    """Return where the frames of a volume lie.

    Raises
    ------
    ScanRefused
        `pattern_unknown` if nothing tells it, `scan_pattern_unsupported` if a frame is no straight
        line, `pattern_conflict` if localizer and planes disagree.
    """
    on_localizer = _lines_on_localizer(dataset, frames, columns, lateral_mm, localizer)
    in_planes = _lines_in_planes(dataset, frames, lateral_mm)
    lines = on_localizer or in_planes
    if lines is None:
        raise ScanRefused(
            ReasonCode.PATTERN_UNKNOWN,
            "Nothing tells where each B-scan lies and which way it runs: the frames have neither "
            "Reference Coordinates (0022,0032) on a localizer nor a Plane Position (0020,9113) and "
            "Plane Orientation (0020,9116) that look into the eye. Export the volume with its "
            "localizer and frame locations.",
        )
    if on_localizer is not None and in_planes is not None:
        _refuse_contradiction(on_localizer, in_planes)
    return lines


def _lines_on_localizer(
    dataset: Dataset, frames: int, columns: int, lateral_mm: float, localizer: Localizer
) -> FrameLines | None:
    """Return the lines on the localizer, None where a frame does not say where it lies.

    Two points are the ends of the line, at the outer edges of its first and last A-scan: in a
    public object of a real device their distance is columns × lateral spacing.
    """
    locations = [place for place in read_frame_locations(dataset, frames) if place is not None]
    if len(locations) < frames or not frames:
        return None
    if not all(place.is_straight for place in locations):
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            "The Reference Coordinates (0022,0032) of the frames are not straight lines: no active "
            "model takes this pattern. Send the circle scan or the volume over the optic disc.",
        )
    ends = np.array([(place.points[0], place.points[-1]) for place in locations])
    pixel_mm = localizer.pixel_mm or _pixel_mm(ends, columns * lateral_mm)
    turned = np.array([-1 if localizer.feet_are_down else 1, 1 if localizer.left_is_right else -1])
    # Row and column of the picture become the patient's left and up.
    points_mm = (ends * turned * pixel_mm)[..., ::-1]
    step_mm = (points_mm[:, 1] - points_mm[:, 0]) / columns
    return FrameLines(points_mm[:, 0] + step_mm / 2, step_mm, localizer.notes, pixel_mm)


def _pixel_mm(ends: NDArray[np.float64], length_mm: float) -> float:
    """Return the scale at which the lines have the length their columns make up."""
    pixels = float(np.median(np.hypot(*(ends[:, 1] - ends[:, 0]).T)))
    return length_mm / pixels if pixels > 0 else 0.0


def _lines_in_planes(dataset: Dataset, frames: int, lateral_mm: float) -> FrameLines | None:
    """Return the lines the planes of the frames make on the retina, None where they make none.

    Planes whose depth does not lead into the eye are no statement about the patient.

    Source: PS3.3 C.7.6.2.1.1: x to the patient's left, y to the back, z to the head.
    """
    positions = _numbers(dataset, frames, "PlanePositionSequence", "ImagePositionPatient", 3)
    cosines = _numbers(dataset, frames, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    if positions is None or cosines is None or len(np.unique(positions, axis=0)) < frames:
        return None
    along, into = cosines[:, :3], cosines[:, 3:]
    lengths = np.linalg.norm(cosines.reshape(-1, 3), axis=1)
    if np.abs(lengths - 1).max() > 0.01 or into[:, 1].min() < _STRAIGHT_INTO_THE_EYE:
        return None
    return FrameLines(positions[:, [0, 2]], along[:, [0, 2]] * lateral_mm, (_PLANE_NOTE,))


def _numbers(
    dataset: Dataset, frames: int, group: str, keyword: str, count: int
) -> NDArray[np.float64] | None:
    """Return numbers of each frame, shape (frames, count), None where one frame lacks them."""
    items = frame_items(dataset, frames, group)
    found = [numbers_of(item, keyword) for item in items if item is not None]
    if len(found) < frames or not frames or any(len(numbers) != count for numbers in found):
        return None
    numbers = np.array(found, np.float64)
    return numbers if np.abs(numbers).max() <= _FARTHEST_MM else None


def _refuse_contradiction(on_localizer: FrameLines, in_planes: FrameLines) -> None:
    along = _cosine(on_localizer.step_mm.mean(axis=0), in_planes.step_mm.mean(axis=0))
    # From the first frame to any other: the frames need not come in the order of their positions.
    across = [lines.first_mm - lines.first_mm[0] for lines in (on_localizer, in_planes)]
    if min(along, _cosine(across[0].ravel(), across[1].ravel())) < _SAME_DIRECTION:
        raise ScanRefused(
            ReasonCode.PATTERN_CONFLICT,
            "The Reference Coordinates (0022,0032) of the frames and their Plane Position and "
            "Plane Orientation disagree on how the volume lies on the eye. Export the scan again; "
            "if it stays so, report it to the maker of the device.",
        )


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths > 0 else 0.0

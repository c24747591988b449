"""The angle of every A-scan of a circle, in the frame both eyes share."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.scan import CircleGeometry, CircleOnPicture
from dicom_node.devices.frame_location import FrameLocation
from dicom_node.devices.localizer import Localizer
from dicom_node.devices.spacing import USUAL_CIRCLE_DEGREE, check_circle, check_circle_angle

_ANGLE_UNKNOWN_NOTE: Final = (
    f"Whether the circle is the usual one of {USUAL_CIRCLE_DEGREE:.0f}° was not checked, for no "
    "field of view of the localizer is known: on a larger one the nerve fibre layer is thinner."
)


def read_circle(
    location: FrameLocation,
    localizer: Localizer,
    laterality: Laterality,
    columns: int,
    lateral_mm: float,
) -> CircleGeometry:
    """Return where each column of a circle frame lies around the disc.

    The angle of each A-scan comes from its own point about the fitted centre: where the circle
    starts and which way it runs is read, never assumed.

    Raises
    ------
    ScanRefused
        `spacing_implausible`, or `outside_intended_use` for a circle of another angle.
    """
    fitted = location.circle
    across_degree = _diameter_degree(location, localizer)
    if across_degree is not None:
        check_circle_angle(across_degree)
    return CircleGeometry(
        angles_degree=_tsnit_degree(_column_angles(location, columns), localizer, laterality),
        diameter_mm=_diameter_mm(location, localizer, columns, lateral_mm),
        on_picture=None
        if fitted is None
        else CircleOnPicture(fitted.row, fitted.column, fitted.radius),
    )


def angle_notes(location: FrameLocation, localizer: Localizer) -> tuple[str, ...]:
    """Return a warning where the angle of a circle is not known.

    In millimetre the usual circle of a long eye is as large as a wider one of a short eye, so that
    its length does not tell.
    """
    return () if _diameter_degree(location, localizer) is not None else (_ANGLE_UNKNOWN_NOTE,)


def _diameter_degree(location: FrameLocation, localizer: Localizer) -> float | None:
    if localizer.pixel_degree is None or location.circle is None:
        return None
    return 2 * location.circle.radius * localizer.pixel_degree


def _diameter_mm(
    location: FrameLocation, localizer: Localizer, columns: int, lateral_mm: float
) -> float:
    diameter_mm = columns * lateral_mm / math.pi
    if localizer.pixel_mm is not None and location.circle is not None:
        diameter_mm = 2 * location.circle.radius * localizer.pixel_mm
    check_circle(diameter_mm, columns, lateral_mm)
    return diameter_mm


def _column_angles(location: FrameLocation, columns: int) -> NDArray[np.float64]:
    """Return the angle of each column in the picture: 0 right, 90 up, counter-clockwise.

    Where the points are fewer or more than the columns they are spread evenly over the circle.
    """
    angles = location.picture_angles_degree
    if len(angles) == columns:
        return angles
    turns = location.turns_degree
    # A last point that repeats the first closes the circle and starts no new step.
    steps = len(angles) - (abs(turns[-1]) < abs(np.median(turns)) / 2)
    course = angles[0] + np.concatenate(([0.0], np.cumsum(turns)))[: steps + 1]
    positions = np.arange(columns) * steps / columns
    return np.asarray(np.interp(positions, np.arange(steps + 1), course), np.float64)


def _tsnit_degree(
    picture_degree: NDArray[np.float64], localizer: Localizer, laterality: Laterality
) -> NDArray[np.float64]:
    """Turn angles in the picture into TSNIT: 0 temporal, 90 superior, 180 nasal, 270 inferior."""
    radian = np.radians(picture_degree)
    patient_left = np.cos(radian) * (1 if localizer.left_is_right else -1)
    superior = np.sin(radian) * (1 if localizer.feet_are_down else -1)
    # The temple is on the patient's right of a right eye, on the left of a left eye.
    temporal = -patient_left if laterality is Laterality.RIGHT else patient_left
    return np.asarray(np.degrees(np.arctan2(superior, temporal)) % 360.0, np.float64)

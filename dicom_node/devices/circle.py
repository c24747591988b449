"""The angle of every A-scan of a circle, in the frame both eyes share."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import CircleGeometry
from dicom_node.devices.attributes import clean_text, numbers_of, values_of, whole_number_of
from dicom_node.devices.frame_location import FrameLocation
from dicom_node.devices.spacing import check_circle, check_circle_angle, localizer_note

_NO_LOCALIZER_NOTE: Final = (
    "The localizer is not at hand: the diameter is taken from the number and spacing of the "
    "columns, and the picture is taken to show the patient's left on its right."
)
_NO_ORIENTATION_NOTE: Final = (
    "The localizer has no Patient Orientation: it is taken to show the patient's left on its right."
)
_NO_SPACING_NOTE: Final = (
    "The localizer has no Pixel Spacing: the diameter of the circle is taken from the number and "
    "spacing of the columns."
)


@dataclass(frozen=True)
class Localizer:
    """The picture a scan was planned on.

    Attributes
    ----------
    pixel_mm
        Distance of neighbouring pixels, None where unknown.
    left_is_right
        Whether the patient's left is on the right of the picture, as usual.
    feet_are_down
        Whether the patient's feet are down, as usual.
    notes
        Warnings for people.
    pixel_degree
        Distance of neighbouring pixels in degree of the visual angle, None where unknown.
    """

    pixel_mm: float | None = None
    left_is_right: bool = True
    feet_are_down: bool = True
    notes: tuple[str, ...] = (_NO_LOCALIZER_NOTE,)
    pixel_degree: float | None = None


def read_localizer(dataset: Dataset | None) -> Localizer:
    """Return the scale and orientation of the localizer; the usual ones where it is not at hand.

    Raises
    ------
    ScanRefused
        `pattern_unknown` if its orientation is not one of a picture of the retina,
        `spacing_implausible` if its pixels are not square.
    """
    if dataset is None:
        return Localizer()
    orientation = tuple(clean_text(v).upper() for v in values_of(dataset, "PatientOrientation"))
    notes: tuple[str, ...] = ()
    if not any(orientation):
        notes, orientation = (_NO_ORIENTATION_NOTE,), ("L", "F")
    if (
        len(orientation) != 2
        or orientation[0] not in {"L", "R"}
        or orientation[1] not in {"F", "H"}
    ):
        raise ScanRefused(
            ReasonCode.PATTERN_UNKNOWN,
            "Patient Orientation (0020,0020) of the localizer is not L or R along the rows and F "
            "or H along the columns: the direction of the circle on the eye is not known. Export "
            "the localizer unrotated.",
        )
    pixel_mm = _pixel_mm(dataset)
    if pixel_mm is None:
        notes += (_NO_SPACING_NOTE,)
    field = numbers_of(dataset, "HorizontalFieldOfView")
    columns = whole_number_of(dataset, "Columns")
    known_field = columns and len(field) == 1 and field[0] > 0
    if pixel_mm and columns and known_field:
        warning = localizer_note(pixel_mm * columns, field[0])
        notes += (warning,) if warning else ()
    return Localizer(
        pixel_mm,
        left_is_right=orientation[0] == "L",
        feet_are_down=orientation[1] == "F",
        notes=notes,
        pixel_degree=field[0] / columns if columns and known_field else None,
    )


def _pixel_mm(localizer: Dataset) -> float | None:
    spacing = numbers_of(localizer, "PixelSpacing")
    if len(spacing) != 2 or min(spacing) <= 0:
        return None
    if abs(spacing[0] / spacing[1] - 1) > 0.01:
        raise ScanRefused(
            ReasonCode.SPACING_IMPLAUSIBLE,
            "The pixels of the localizer are not square (Pixel Spacing 0028,0030): a circle on it "
            "is none on the eye. Export the localizer unscaled.",
        )
    return sum(spacing) / 2


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
    if localizer.pixel_degree is not None and location.circle is not None:
        check_circle_angle(2 * location.circle.radius * localizer.pixel_degree)
    return CircleGeometry(
        angles_degree=_tsnit_degree(_column_angles(location, columns), localizer, laterality),
        diameter_mm=_diameter_mm(location, localizer, columns, lateral_mm),
    )


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

"""The picture a scan was planned on: its scale and how it is turned."""

from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import clean_text, numbers_of, values_of, whole_number_of
from dicom_node.devices.spacing import localizer_note

_NO_LOCALIZER_NOTE: Final = (
    "The localizer is not at hand: lengths are taken from the number and spacing of the columns, "
    "and the picture is taken to show the patient's left on its right and the feet down."
)
_NO_ORIENTATION_NOTE: Final = (
    "The localizer has no Patient Orientation: it is taken to show the patient's left on its right "
    "and the feet down."
)
_NO_SPACING_NOTE: Final = (
    "The localizer has no Pixel Spacing: lengths on the retina are taken from the number and "
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
    orientation = read_orientation(dataset)
    notes: tuple[str, ...] = () if orientation else (_NO_ORIENTATION_NOTE,)
    left_is_right, feet_are_down = orientation or (True, True)
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
        left_is_right=left_is_right,
        feet_are_down=feet_are_down,
        notes=notes,
        pixel_degree=field[0] / columns if columns and known_field else None,
    )


def read_orientation(dataset: Dataset) -> tuple[bool, bool] | None:
    """Return how a picture of the retina is turned, None where it does not say.

    First whether the patient's left is on its right, then whether the patient's feet are down.

    Raises
    ------
    ScanRefused
        `pattern_unknown` if it says anything else.

    Source: PS3.3 C.7.6.1.1.1: the direction of the rows, then of the columns.
    """
    orientation = tuple(clean_text(v).upper() for v in values_of(dataset, "PatientOrientation"))
    if not any(orientation):
        return None
    if (
        len(orientation) != 2
        or orientation[0] not in {"L", "R"}
        or orientation[1] not in {"F", "H"}
    ):
        raise ScanRefused(
            ReasonCode.PATTERN_UNKNOWN,
            "Patient Orientation (0020,0020) of the picture is not L or R along the rows and F or "
            "H along the columns: the direction of the scan on the eye is not known. Export the "
            "picture unrotated.",
        )
    return orientation[0] == "L", orientation[1] == "F"


def _pixel_mm(localizer: Dataset) -> float | None:
    spacing = numbers_of(localizer, "PixelSpacing")
    if len(spacing) != 2 or min(spacing) <= 0:
        return None
    if abs(spacing[0] / spacing[1] - 1) > 0.01:
        raise ScanRefused(
            ReasonCode.SPACING_IMPLAUSIBLE,
            "The pixels of the localizer are not square (Pixel Spacing 0028,0030): a shape on it "
            "is another on the eye. Export the localizer unscaled.",
        )
    return sum(spacing) / 2

"""How a photograph of the fundus is turned, and how large what it shows is."""

from dataclasses import replace
from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import FundusGeometry
from dicom_node.devices.attributes import clean_text, numbers_of, values_of, whole_number_of

#: Retina that photographs show, from narrow to ultra-wide, in millimetre and in degree.
_WIDTH_MM: Final = (3.0, 70.0)
_FIELD_DEGREE: Final = (10.0, 220.0)

NO_ORIENTATION_NOTE: Final = (
    "The photograph has no Patient Orientation (0020,0020): it is taken to show the patient's left "
    "on its right and the feet down, as usual."
)
NO_SCALE_NOTE: Final = (
    "Pixel Spacing (0028,0030) is not one of a retina and was left aside; the size of the disc "
    "serves instead."
)


def read_fundus_geometry(
    dataset: Dataset, laterality: Laterality
) -> tuple[FundusGeometry, tuple[str, ...]]:
    """Return how a photograph of that eye is turned and scaled, with notes for people.

    Raises
    ------
    ScanRefused
        `pattern_unknown` if it is turned in another way than upright, mirrored or upside down;
        `spacing_implausible` if its pixels are not square.
    """
    left_is_right, feet_are_down, notes = _orientation(dataset)
    geometry = FundusGeometry(
        # The temple is on the patient's left of a left eye, on the right of a right eye.
        temporal_is_right=(laterality is Laterality.LEFT) == left_is_right,
        superior_is_up=feet_are_down,
        pixel_degree=_pixel_degree(dataset),
    )
    spacing_mm = _square_spacing_mm(dataset)
    columns = whole_number_of(dataset, "Columns") or 0
    low_mm, high_mm = _WIDTH_MM
    if spacing_mm is None:
        return geometry, notes
    if not low_mm <= spacing_mm * columns <= high_mm:
        return geometry, (*notes, NO_SCALE_NOTE)
    return replace(geometry, pixel_mm=spacing_mm), notes


def _orientation(dataset: Dataset) -> tuple[bool, bool, tuple[str, ...]]:
    """Return whether the patient's left is right and the feet are down in the picture."""
    words = tuple(clean_text(v).upper() for v in values_of(dataset, "PatientOrientation"))
    if not any(words):
        return True, True, (NO_ORIENTATION_NOTE,)
    if len(words) != 2 or words[0] not in {"L", "R"} or words[1] not in {"F", "H"}:
        raise ScanRefused(
            ReasonCode.PATTERN_UNKNOWN,
            "Patient Orientation (0020,0020) of the photograph is not L or R along the rows and F "
            "or H along the columns: which side is the temple is not known. Export the photograph "
            "unrotated.",
        )
    return words[0] == "L", words[1] == "F", ()


def _square_spacing_mm(dataset: Dataset) -> float | None:
    spacing = numbers_of(dataset, "PixelSpacing")
    if len(spacing) != 2 or min(spacing) <= 0:
        return None
    if abs(spacing[0] / spacing[1] - 1) > 0.01:
        raise ScanRefused(
            ReasonCode.SPACING_IMPLAUSIBLE,
            "The pixels of the photograph are not square (Pixel Spacing 0028,0030): the disc on it "
            "has another shape than in the eye. Export the photograph unscaled.",
        )
    return sum(spacing) / 2


def _pixel_degree(dataset: Dataset) -> float | None:
    field = numbers_of(dataset, "HorizontalFieldOfView")
    columns = whole_number_of(dataset, "Columns")
    low, high = _FIELD_DEGREE
    if not columns or len(field) != 1 or not low <= field[0] <= high:
        return None
    return field[0] / columns

"""Whether the distances an object states are those of an eye."""

import math
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import numbers_of
from dicom_node.devices.functional_groups import frame_item

_AXIAL_MM: Final = (0.0015, 0.006)
_DEPTH_MM: Final = (1.2, 4.0)
_LATERAL_MM: Final = (0.004, 0.06)
_CIRCLE_DIAMETER_MM: Final = (2.6, 4.8)
#: How far the circle's circumference may be from columns × lateral spacing.
_CIRCUMFERENCE_SHARE: Final = 0.02
#: The circle of 12 degree; a set of rings has the next at 14. In millimetre they overlap, since
#: eyes differ in length: 12 degree were 3.60 mm in one eye and 4.37 in another.
USUAL_CIRCLE_DEGREE: Final = 12.0
_CIRCLE_DEGREE: Final = (10.2, 13.5)
_LOCALIZER_MM_A_DEGREE: Final = (0.24, 0.42)
#: Diameter of the usual circle around the disc in millimetre: what Cirrus samples in its disc
#: volumes, and about 12 degree of an eye of usual length on Spectralis.
USUAL_CIRCLE_MM: Final = 3.46
#: A field must hold the usual circle with room for a disc that is not quite in its middle.
SMALLEST_FIELD_MM: Final = 4.0
_LARGEST_FIELD_MM: Final = 15.0
#: B-scans farther apart are single lines: too few of them cross a circle.
_B_SCAN_DISTANCE_MM: Final = 0.3
#: Thickness maps have one value for each A-scan, or are spread finer over the picture.
_MAP_PIXEL_MM: Final = (0.004, 0.3)
#: How far the distance that is written may be from that of the frames' places.
_DISTANCE_SHARE: Final = 0.05


@dataclass(frozen=True)
class Spacing:
    """Distance of the rows (axial) and of the columns (lateral) of a B-scan in millimetre."""

    axial_mm: float
    lateral_mm: float


def read_spacing(dataset: Dataset, frame: int, rows: int) -> Spacing:
    """Return the spacing of a frame (0 = the first), checked against what an eye can have.

    Raises
    ------
    ScanRefused
        `spacing_missing` or `spacing_implausible`.

    Source: PS3.3 C.7.6.16.2.1: Pixel Spacing is row distance (axial), then column distance.
    """
    measures = frame_item(dataset, frame, "PixelMeasuresSequence")
    numbers = numbers_of(measures, "PixelSpacing") if measures is not None else ()
    if len(numbers) != 2 or min(numbers) <= 0:
        raise ScanRefused(
            ReasonCode.SPACING_MISSING,
            "Pixel Spacing (0028,0030) is absent or not two positive numbers: thickness cannot be "
            "told in micrometre. Export the scan with its Pixel Measures.",
        )
    spacing = Spacing(*numbers)
    if spacing.axial_mm >= spacing.lateral_mm:
        raise _implausible(
            f"Pixel Spacing says rows {spacing.axial_mm:.6g} mm and columns "
            f"{spacing.lateral_mm:.6g} mm apart; the first must be the smaller: order or unit is "
            "wrong"
        )
    _within("The axial spacing", spacing.axial_mm, _AXIAL_MM)
    _within("The depth of the scan, rows × axial spacing,", rows * spacing.axial_mm, _DEPTH_MM)
    _within("The lateral spacing", spacing.lateral_mm, _LATERAL_MM)
    return spacing


def read_map_spacing(dataset: Dataset) -> tuple[float, float]:
    """Return the distance of the rows and of the columns of a map of the retina in millimetre.

    Raises
    ------
    ScanRefused
        `spacing_missing` or `spacing_implausible`.
    """
    numbers = numbers_of(dataset, "PixelSpacing")
    if len(numbers) != 2 or min(numbers) <= 0:
        raise ScanRefused(
            ReasonCode.SPACING_MISSING,
            "Pixel Spacing (0028,0030) is absent or not two positive numbers: where the map lies "
            "on the retina cannot be told. Export the map with its Pixel Spacing.",
        )
    row_mm, column_mm = numbers
    _within("The distance of the rows", row_mm, _MAP_PIXEL_MM)
    _within("The distance of the columns", column_mm, _MAP_PIXEL_MM)
    return row_mm, column_mm


def check_circle(diameter_mm: float, columns: int, lateral_mm: float) -> None:
    """Refuse a circle of impossible size, or one whose columns do not make up its circumference.

    Raises
    ------
    ScanRefused
        `spacing_implausible`.
    """
    _within("The diameter of the circle", diameter_mm, _CIRCLE_DIAMETER_MM)
    circumference_mm = math.pi * diameter_mm
    if abs(columns * lateral_mm / circumference_mm - 1) > _CIRCUMFERENCE_SHARE:
        raise _implausible(
            f"{columns} columns of {lateral_mm:.6g} mm make {columns * lateral_mm:.2f} mm, the "
            f"circle on the localizer is {circumference_mm:.2f} mm round"
        )


def check_line(length_mm: float, columns: int, lateral_mm: float) -> None:
    """Refuse a frame whose columns do not make up its length on the localizer.

    Raises
    ------
    ScanRefused
        `spacing_implausible`.
    """
    if abs(length_mm / (columns * lateral_mm) - 1) > _CIRCUMFERENCE_SHARE:
        raise _implausible(
            f"{columns} columns of {lateral_mm:.6g} mm make {columns * lateral_mm:.2f} mm, the "
            f"line on the localizer is {length_mm:.2f} mm long"
        )


def check_b_scan_distance(dataset: Dataset, distance_mm: float) -> None:
    """Refuse B-scans that are no volume, or whose distance the object itself contradicts.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` or `spacing_implausible`.
    """
    if distance_mm > _B_SCAN_DISTANCE_MM:
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"The B-scans are {distance_mm:.2f} mm apart: single lines, no volume. The limit is "
            f"{_B_SCAN_DISTANCE_MM} mm. Send the circle scan or a denser volume over the disc.",
        )
    measures = frame_item(dataset, 0, "PixelMeasuresSequence") or Dataset()
    stated_mm = numbers_of(measures, "SpacingBetweenSlices")
    if stated_mm and abs(stated_mm[0] / distance_mm - 1) > _DISTANCE_SHARE:
        raise _implausible(
            f"Spacing Between Slices (0018,0088) says {stated_mm[0]:.4g} mm, the places of the "
            f"frames say {distance_mm:.4g} mm"
        )


def check_field(width_mm: float, height_mm: float) -> None:
    """Refuse a field that cannot hold the circle around the disc, or that no eye has.

    Raises
    ------
    ScanRefused
        `scan_pattern_unsupported` or `spacing_implausible`.
    """
    if max(width_mm, height_mm) > _LARGEST_FIELD_MM:
        raise _implausible(
            f"The field is {width_mm:.1f} × {height_mm:.1f} mm, more than {_LARGEST_FIELD_MM} mm"
        )
    if min(width_mm, height_mm) < SMALLEST_FIELD_MM:
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            f"The field is {width_mm:.2f} × {height_mm:.2f} mm: the circle of {USUAL_CIRCLE_MM} mm "
            f"around the disc needs {SMALLEST_FIELD_MM} mm each way. Send a wider volume or map "
            "over the disc, or the circle scan.",
        )


def check_circle_angle(diameter_degree: float) -> None:
    """Refuse a circle of another size: the nerve fibre layer thins with distance from the disc.

    Raises
    ------
    ScanRefused
        `outside_intended_use`.
    """
    low, high = _CIRCLE_DEGREE
    if not low <= diameter_degree <= high:
        raise ScanRefused(
            ReasonCode.OUTSIDE_INTENDED_USE,
            f"The circle is {diameter_degree:.1f}° across on the localizer, the model is meant for "
            f"one of {USUAL_CIRCLE_DEGREE:.0f}° ({low} to {high}). Send the scan of the usual "
            "circle around the disc.",
        )


def localizer_note(width_mm: float, field_degree: float) -> str | None:
    """Return a warning where the localizer's millimetres do not fit its field of view."""
    low, high = _LOCALIZER_MM_A_DEGREE
    if field_degree <= 0 or low <= width_mm / field_degree <= high:
        return None
    return (
        f"The localizer has {width_mm / field_degree:.3f} mm per degree, outside {low} to {high}: "
        "lengths on the retina may be scaled."
    )


def _within(what: str, value_mm: float, limits_mm: tuple[float, float]) -> None:
    low, high = limits_mm
    if not low <= value_mm <= high:
        raise _implausible(f"{what} is {value_mm:.6g} mm, outside {low} to {high} mm")


def _implausible(finding: str) -> ScanRefused:
    return ScanRefused(
        ReasonCode.SPACING_IMPLAUSIBLE,
        f"{finding}. Check the export settings of the device, then export the scan again.",
    )

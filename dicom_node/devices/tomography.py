"""From an Ophthalmic Tomography object to a scan: a circle or a volume."""

import math

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import Scan, ScanKind
from dicom_node.devices.attributes import clean_text, values_of
from dicom_node.devices.circle import angle_notes, read_circle
from dicom_node.devices.description import describe
from dicom_node.devices.localizer import Localizer, read_localizer
from dicom_node.devices.pixels import PixelDescription, describe_pixels, read_frame
from dicom_node.devices.register import profile_of
from dicom_node.devices.scan_pattern import CircleFrame, find_circle_frames
from dicom_node.devices.spacing import USUAL_CIRCLE_DEGREE, USUAL_CIRCLE_MM, read_spacing
from dicom_node.devices.volume import read_b_scans, read_volume_grid, read_volume_spacing


def read_tomography(dataset: Dataset, localizer: Dataset | None, laterality: Laterality) -> Scan:
    """Return the circle around the disc an object holds, otherwise its volume.

    Parameters
    ----------
    localizer
        The picture the object names; None where it is not at hand.

    Raises
    ------
    ScanRefused
        With the one reason, what decided it and what to do.
    """
    _refuse_derived(dataset)
    pixels = describe_pixels(dataset, scrambles=profile_of(dataset).scrambles_pixels)
    place = read_localizer(localizer)
    circles = find_circle_frames(dataset, pixels.frames)
    if circles:
        circle = _usual_circle(circles, dataset, pixels, place)
        return _circle_scan(dataset, circle, pixels, place, laterality)
    return _volume_scan(dataset, pixels, place, laterality)


def _refuse_derived(dataset: Dataset) -> None:
    image_type = [clean_text(value).upper() for value in values_of(dataset, "ImageType")]
    if image_type[:1] == ["DERIVED"]:
        raise ScanRefused(
            ReasonCode.DERIVED_OR_BURNED_IN,
            "Image Type (0008,0008) says DERIVED: the grey values are not those of the device. "
            "Export the original scan.",
        )


def _circle_scan(
    dataset: Dataset,
    circle: CircleFrame,
    pixels: PixelDescription,
    localizer: Localizer,
    laterality: Laterality,
) -> Scan:
    scrambles = profile_of(dataset).scrambles_pixels
    spacing = read_spacing(dataset, circle.index, pixels.rows)
    said = describe(dataset)
    return Scan(
        kind=ScanKind.CIRCLE,
        geometry=read_circle(
            circle.location, localizer, laterality, pixels.columns, spacing.lateral_mm
        ),
        pixels=read_frame(dataset, pixels, circle.index, scrambles=scrambles),
        axial_um=spacing.axial_mm * 1000,
        lateral_um=spacing.lateral_mm * 1000,
        laterality=laterality,
        acquired_at=said.acquired_at,
        age_years=said.age_years,
        device=said.device,
        notes=(
            *localizer.notes,
            *angle_notes(circle.location, localizer),
            *_frame_note(circle, pixels),
        ),
    )


def _volume_scan(
    dataset: Dataset, pixels: PixelDescription, localizer: Localizer, laterality: Laterality
) -> Scan:
    scrambles = profile_of(dataset).scrambles_pixels
    spacing = read_volume_spacing(dataset, pixels)
    grid, lines = read_volume_grid(dataset, pixels, spacing.lateral_mm, localizer, laterality)
    said = describe(dataset)
    return Scan(
        kind=ScanKind.VOLUME,
        geometry=grid.geometry,
        pixels=read_b_scans(dataset, pixels, grid.order, scrambles=scrambles),
        axial_um=spacing.axial_mm * 1000,
        lateral_um=spacing.lateral_mm * 1000,
        laterality=laterality,
        acquired_at=said.acquired_at,
        age_years=said.age_years,
        device=said.device,
        notes=lines.notes,
    )


def _usual_circle(
    circles: tuple[CircleFrame, ...],
    dataset: Dataset,
    pixels: PixelDescription,
    localizer: Localizer,
) -> CircleFrame:
    """Return the circle nearest to the usual diameter; the first of equals.

    Sets of circles are laid out in degree, so that decides where the localizer tells it: in
    millimetre the next larger circle of a short eye may look more usual than its own.
    """
    if len(circles) == 1:
        return circles[0]

    def distance(circle: CircleFrame) -> float:
        fitted = circle.location.circle
        if localizer.pixel_degree is not None and fitted is not None:
            return abs(2 * fitted.radius * localizer.pixel_degree - USUAL_CIRCLE_DEGREE)
        if localizer.pixel_mm is not None and fitted is not None:
            diameter_mm = 2 * fitted.radius * localizer.pixel_mm
        else:
            lateral_mm = read_spacing(dataset, circle.index, pixels.rows).lateral_mm
            diameter_mm = pixels.columns * lateral_mm / math.pi
        return abs(diameter_mm - USUAL_CIRCLE_MM)

    return min(circles, key=lambda circle: round(distance(circle), 3))


def _frame_note(circle: CircleFrame, pixels: PixelDescription) -> tuple[str, ...]:
    if pixels.frames == 1:
        return ()
    return (f"Frame {circle.index + 1} of {pixels.frames} is the circle that was read.",)

"""From a DICOM object to a scan: the door other rooms use."""

import math
from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from core.values.scan import Scan, ScanKind
from dicom_node.devices.attributes import (
    clean_text,
    items_of,
    silenced_reader,
    text_of,
    values_of,
    whole_number_of,
)
from dicom_node.devices.circle import Localizer, read_circle, read_localizer
from dicom_node.devices.description import describe
from dicom_node.devices.functional_groups import every_item
from dicom_node.devices.input_class import is_model_input
from dicom_node.devices.laterality import read_laterality
from dicom_node.devices.pixels import PixelDescription, describe_pixels, read_frame
from dicom_node.devices.register import profile_of
from dicom_node.devices.scan_pattern import CircleFrame, find_circle_frames
from dicom_node.devices.spacing import read_spacing

#: Diameter of the usual circle of 12 degree in millimetre.
_USUAL_DIAMETER_MM: Final = 3.45


def read_scan(dataset: Dataset, localizer: Dataset | None = None) -> Scan:
    """Return what the device measured, or say why the object must not be scored.

    Parameters
    ----------
    dataset
        The object with its file meta information.
    localizer
        The picture `read_localizer_reference` names, where the archive has it. Another picture is
        left aside, with a note.

    Raises
    ------
    ScanRefused
        With the one reason, what decided it and what to do.
    """
    with silenced_reader():
        _refuse_other_objects(dataset)
        localizer, notes = _own_localizer(dataset, localizer)
        laterality = read_laterality(dataset, localizer)
        scrambles = profile_of(dataset).scrambles_pixels
        pixels = describe_pixels(dataset, scrambles=scrambles)
        place = read_localizer(localizer)
        circles = find_circle_frames(dataset, pixels.frames)
        circle = _usual_circle(circles, dataset, pixels, place)
        spacing = read_spacing(dataset, circle.index, pixels.rows)
        geometry = read_circle(
            circle.location, place, laterality, pixels.columns, spacing.lateral_mm
        )
        said = describe(dataset)
        return Scan(
            kind=ScanKind.CIRCLE,
            pixels=read_frame(dataset, pixels, circle.index, scrambles=scrambles),
            axial_um=spacing.axial_mm * 1000,
            lateral_um=spacing.lateral_mm * 1000,
            geometry=geometry,
            laterality=laterality,
            acquired_at=said.acquired_at,
            age_years=said.age_years,
            device=said.device,
            notes=(*notes, *place.notes, *_frame_note(circle, pixels)),
        )


def read_localizer_reference(dataset: Dataset) -> str | None:
    """Return the SOP Instance UID of the picture the scan was planned on, None if it names none."""
    with silenced_reader():
        for group in ("OphthalmicFrameLocationSequence", "ReferencedImageSequence"):
            items = (*every_item(dataset, group), *items_of(dataset, group))
            uids = (text_of(item, "ReferencedSOPInstanceUID") for item in items)
            uid = next(filter(None, uids), None)
            if uid is not None:
                return uid
    return None


def _refuse_other_objects(dataset: Dataset) -> None:
    refusal = profile_of(dataset).refusal(dataset)
    if refusal is not None:
        raise refusal
    kind = text_of(dataset, "SOPClassUID"), text_of(dataset, "Modality")
    if not is_model_input(*kind, text_of(dataset, "Manufacturer")):
        raise ScanRefused(
            ReasonCode.NOT_MODEL_INPUT,
            "The object is no Ophthalmic Tomography: no active model takes it. Nothing to do.",
        )
    parts = whole_number_of(dataset, "InConcatenationTotalNumber")
    if parts is not None and parts > 1:
        raise ScanRefused(
            ReasonCode.NOT_MODEL_INPUT,
            f"The object is one of {parts} parts of a concatenation, which are not put together "
            "here. Export the scan as one object.",
        )
    image_type = [clean_text(value).upper() for value in values_of(dataset, "ImageType")]
    burned_in = text_of(dataset, "BurnedInAnnotation").upper() == "YES"
    if image_type[:1] == ["DERIVED"] or burned_in:
        raise ScanRefused(
            ReasonCode.DERIVED_OR_BURNED_IN,
            "Image Type (0008,0008) says DERIVED or Burned In Annotation (0028,0301) says YES: the "
            "grey values are not those of the device. Export the original scan.",
        )


def _own_localizer(
    dataset: Dataset, localizer: Dataset | None
) -> tuple[Dataset | None, tuple[str, ...]]:
    """Return the localizer if it is the one the scan names, otherwise None with a note."""
    if localizer is None:
        return None, ()
    if text_of(localizer, "SOPInstanceUID") == read_localizer_reference(dataset):
        return localizer, ()
    return None, ("The picture at hand is not the localizer the scan refers to; left aside.",)


def _usual_circle(
    circles: tuple[CircleFrame, ...],
    dataset: Dataset,
    pixels: PixelDescription,
    localizer: Localizer,
) -> CircleFrame:
    """Return the circle nearest to the usual diameter; the first of equals."""
    if len(circles) == 1:
        return circles[0]

    def distance_mm(circle: CircleFrame) -> float:
        fitted = circle.location.circle
        if localizer.pixel_mm is not None and fitted is not None:
            diameter_mm = 2 * fitted.radius * localizer.pixel_mm
        else:
            lateral_mm = read_spacing(dataset, circle.index, pixels.rows).lateral_mm
            diameter_mm = pixels.columns * lateral_mm / math.pi
        return round(abs(diameter_mm - _USUAL_DIAMETER_MM), 3)

    return min(circles, key=distance_mm)


def _frame_note(circle: CircleFrame, pixels: PixelDescription) -> tuple[str, ...]:
    if pixels.frames == 1:
        return ()
    return (f"Frame {circle.index + 1} of {pixels.frames} is the circle that was read.",)

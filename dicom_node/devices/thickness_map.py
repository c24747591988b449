"""From an Ophthalmic Thickness Map to a scan."""

import math
from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import ReasonCode
from core.values.scan import GridGeometry, Scan, ScanKind
from dicom_node.devices.attributes import items_of, numbers_of, text_of
from dicom_node.devices.description import describe
from dicom_node.devices.localizer import read_orientation
from dicom_node.devices.pixels import PixelDescription, describe_pixels, read_stored
from dicom_node.devices.register import profile_of
from dicom_node.devices.scan_pattern import refuse_macula
from dicom_node.devices.spacing import check_field, read_map_spacing
from dicom_node.devices.thickness_values import thickness_um

#: CID 4262 (Retinal Thickness Definition): retinal nerve fibre layer thickness.
_NERVE_FIBRE_LAYER: Final = "111925"
#: CID 4263 (Ophthalmic Thickness Map Value Type): absolute thickness, no deviation from normals.
_ABSOLUTE: Final = "111930"
_TOMOGRAPHY: Final = "OCT"


def read_thickness_map(dataset: Dataset, localizer: Dataset | None, laterality: Laterality) -> Scan:
    """Return the nerve fibre layer thickness a device mapped over the optic disc.

    Parameters
    ----------
    localizer
        The picture the map is registered to; None where it is not at hand.

    Raises
    ------
    ScanRefused
        With the one reason, what decided it and what to do.

    Source: PS3.3 A.67, C.8.28.2.
    """
    _refuse_other_maps(dataset)
    refuse_macula(dataset)
    scrambles = profile_of(dataset).scrambles_pixels
    pixels = describe_pixels(dataset, scrambles=scrambles)
    if pixels.frames > 1:
        raise _not_model_input(f"The object has {pixels.frames} frames, a map has one")
    geometry = _read_grid(dataset, localizer, pixels, laterality)
    stored = read_stored(dataset, pixels, 0, scrambles=scrambles)
    said = describe(dataset)
    return Scan(
        kind=ScanKind.THICKNESS_MAP,
        pixels=thickness_um(dataset, stored),
        axial_um=math.nan,
        lateral_um=math.nan,
        geometry=geometry,
        laterality=laterality,
        acquired_at=said.acquired_at,
        age_years=said.age_years,
        device=said.device,
    )


def _refuse_other_maps(dataset: Dataset) -> None:
    """Refuse maps of another quantity, of another layer or of another kind of device."""
    if not _has_code(dataset, "OphthalmicThicknessMapTypeCodeSequence", _ABSOLUTE):
        raise _not_model_input(
            "Ophthalmic Thickness Map Type (0022,1436) is not absolute thickness (111930)"
        )
    if not _has_code(dataset, "RetinalThicknessDefinitionCodeSequence", _NERVE_FIBRE_LAYER):
        raise _not_model_input(
            "Retinal Thickness Definition (0022,1445) is not the retinal nerve fibre layer (111925)"
        )
    if text_of(dataset, "OphthalmicMappingDeviceType").upper() != _TOMOGRAPHY:
        raise _not_model_input("Ophthalmic Mapping Device Type (0022,1415) is not OCT")


def _has_code(dataset: Dataset, keyword: str, code: str) -> bool:
    return any(text_of(item, "CodeValue") == code for item in items_of(dataset, keyword))


def _not_model_input(finding: str) -> ScanRefused:
    return ScanRefused(
        ReasonCode.NOT_MODEL_INPUT,
        f"{finding}: no active model takes the map. Send the map of nerve fibre layer thickness "
        "over the optic disc that an OCT device measured.",
    )


def _read_grid(
    dataset: Dataset, localizer: Dataset | None, pixels: PixelDescription, laterality: Laterality
) -> GridGeometry:
    row_mm, column_mm = read_map_spacing(dataset)
    check_field(pixels.columns * column_mm, pixels.rows * row_mm)
    left_is_right, feet_are_down = _read_directions(dataset, localizer)
    # The temple is on the patient's right of a right eye, on the left of a left eye.
    is_temporal = left_is_right is (laterality is Laterality.LEFT)
    return GridGeometry(
        origin_mm=(0.0, 0.0),
        column_step_mm=(column_mm if is_temporal else -column_mm, 0.0),
        row_step_mm=(0.0, -row_mm if feet_are_down else row_mm),
    )


def _read_directions(dataset: Dataset, localizer: Dataset | None) -> tuple[bool, bool]:
    """Return whether the patient's left is on the right of the map, and the feet are down."""
    own = read_orientation(dataset)
    registered = None
    if localizer is not None and _lies_upright_on_localizer(dataset):
        registered = read_orientation(localizer)
    if own is not None and registered not in {None, own}:
        raise ScanRefused(
            ReasonCode.PATTERN_CONFLICT,
            "Patient Orientation (0020,0020) of the map and that of its localizer disagree. Export "
            "the map again; if it stays so, report it to the maker of the device.",
        )
    known = own or registered
    if known is None:
        raise ScanRefused(
            ReasonCode.PATTERN_UNKNOWN,
            "Nothing tells how the map lies on the eye: it has no Patient Orientation (0020,0020), "
            "and no localizer at hand to which it is registered (0022,1465). Export the map with "
            "its orientation.",
        )
    return known


def _lies_upright_on_localizer(dataset: Dataset) -> bool:
    """Tell whether the map is turned as its localizer is.

    Both coordinates grow from its upper left to its lower right corner: whichever comes first, and
    in whatever unit they are.
    """
    for item in items_of(dataset, "RegistrationToLocalizerSequence"):
        first = numbers_of(item, "RegisteredLocalizerTopLeftHandCorner")
        last = numbers_of(item, "RegisteredLocalizerBottomRightHandCorner")
        if len(first) == len(last) == 2:
            return first[0] < last[0] and first[1] < last[1]
    return False

"""Which objects are meant for scoring."""

from typing import Final

from pydicom.uid import (
    OphthalmicPhotography8BitImageStorage,
    OphthalmicPhotography16BitImageStorage,
    OphthalmicThicknessMapStorage,
    OphthalmicTomographyImageStorage,
    OphthalmicVisualFieldStaticPerimetryMeasurementsStorage,
    RawDataStorage,
    VLPhotographicImageStorage,
    WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
    WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
)

_RAW_TOMOGRAPHY_MAKER: Final = "CARL ZEISS MEDITEC"
#: OCT scans as the standard has them.
OCT_SCANS: Final = frozenset({OphthalmicTomographyImageStorage, OphthalmicThicknessMapStorage})
#: Photographs that may show the fundus of an eye.
PHOTOGRAPHS: Final = frozenset(
    {
        OphthalmicPhotography8BitImageStorage,
        OphthalmicPhotography16BitImageStorage,
        WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
        WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
        VLPhotographicImageStorage,
    }
)


def is_model_input(sop_class_uid: str, modality: str = "", manufacturer: str = "") -> bool:
    """Tell whether an object is a candidate for scoring; all others are `not_model_input`.

    A candidate may still end as `not_model_input`: most photographs are the localizer of an OCT
    scan, which only their own attributes or the rest of their study tell.

    Modality and manufacturer matter for Raw Data alone: Carl Zeiss Meditec sends its OCT volumes
    as Raw Data with Modality OPT. They are meant for scoring and end refused, with what to export
    instead, rather than in silence.
    """
    if is_oct_scan(sop_class_uid) or is_photograph(sop_class_uid):
        return True
    return is_raw_tomography(sop_class_uid, modality, manufacturer)


def is_measured_field(sop_class_uid: str) -> bool:
    """Tell whether an object is a visual field that a perimeter measured."""
    return sop_class_uid == OphthalmicVisualFieldStaticPerimetryMeasurementsStorage


def is_oct_scan(sop_class_uid: str) -> bool:
    """Tell whether an object is an OCT scan as the standard has it."""
    return sop_class_uid in OCT_SCANS


def is_photograph(sop_class_uid: str) -> bool:
    """Tell whether an object is a photograph that may show the fundus of an eye."""
    return sop_class_uid in PHOTOGRAPHS


def is_raw_tomography(sop_class_uid: str, modality: str, manufacturer: str) -> bool:
    """Tell whether an object is an OCT volume that Carl Zeiss Meditec wrote as Raw Data."""
    return (
        sop_class_uid == RawDataStorage
        and modality.strip().upper() == "OPT"
        and manufacturer.strip().upper().startswith(_RAW_TOMOGRAPHY_MAKER)
    )

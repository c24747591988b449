"""Which objects are meant for scoring."""

from typing import Final

from pydicom.uid import OphthalmicTomographyImageStorage, RawDataStorage

_RAW_TOMOGRAPHY_MAKER: Final = "CARL ZEISS MEDITEC"


def is_model_input(sop_class_uid: str, modality: str = "", manufacturer: str = "") -> bool:
    """Tell whether an object is a candidate for scoring; all others are `not_model_input`.

    Modality and manufacturer matter for Raw Data alone: Carl Zeiss Meditec sends its OCT volumes
    as Raw Data with Modality OPT. They are meant for scoring and end refused, with what to export
    instead, rather than in silence.
    """
    if sop_class_uid == OphthalmicTomographyImageStorage:
        return True
    return is_raw_tomography(sop_class_uid, modality, manufacturer)


def is_raw_tomography(sop_class_uid: str, modality: str, manufacturer: str) -> bool:
    """Tell whether an object is an OCT volume that Carl Zeiss Meditec wrote as Raw Data."""
    return (
        sop_class_uid == RawDataStorage
        and modality.strip().upper() == "OPT"
        and manufacturer.strip().upper().startswith(_RAW_TOMOGRAPHY_MAKER)
    )

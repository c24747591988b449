"""What a photograph was taken for: only pictures of the retina as it looks are for scoring.

Source: PS3.3 C.8.17.2.1.4 (Image Type of Ophthalmic Photography).
"""

import re
from collections.abc import Mapping
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    VLPhotographicImageStorage,
    WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
    WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
)

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import clean_text, items_of, text_of, values_of
from dicom_node.devices.fundus_codes import EYE, FRONT_OF_THE_EYE, FUNDUS, OTHER_DEVICES

_WIDE_FIELD: Final = frozenset(
    {
        WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
        WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
    }
)
#: What Image Type says of pictures that show dye, fluorescence or the red channel alone.
_OTHER_LIGHT: Final = frozenset({"FA", "ICG", "ICGA", "AF", "FAF", "AUTOFLUORESCENCE", "RED"})
#: What devices that leave Image Type empty write into their descriptions.
_OTHER_LIGHT_WORDS: Final = re.compile(
    r"\b(FAF|FFA|ICGA?)\b|ANGIOGRA|AUTO-?\s?FLUOR", re.IGNORECASE
)
_DESCRIPTIONS: Final = ("SeriesDescription", "ProtocolName", "AcquisitionProtocolName")


def refuse_other_purposes(dataset: Dataset) -> None:
    """Refuse a photograph that no model of the fundus was made for.

    Raises
    ------
    ScanRefused
        `not_model_input` for angiography, autofluorescence, the front of the eye and other
        organs; `scan_pattern_unsupported` for wide-field pictures and montages;
        `derived_or_burned_in`.
    """
    _refuse_other_subjects(dataset)
    _refuse_other_light(dataset)
    image_type = _image_type(dataset)
    if text_of(dataset, "SOPClassUID") in _WIDE_FIELD or "MONTAGE" in image_type:
        raise ScanRefused(
            ReasonCode.SCAN_PATTERN_UNSUPPORTED,
            "The object is a wide-field picture or a montage (SOP Class 0008,0016 or Image Type "
            "0008,0008): the model reads single photographs of 30 to 50°. Send one of the disc.",
        )
    if image_type[:1] == ("DERIVED",) or text_of(dataset, "BurnedInAnnotation").upper() == "YES":
        raise ScanRefused(
            ReasonCode.DERIVED_OR_BURNED_IN,
            "Image Type (0008,0008) says DERIVED or Burned In Annotation (0028,0301) says YES: the "
            "picture is not that of the camera. Export the original photograph.",
        )


def device_codes(dataset: Dataset) -> frozenset[str]:
    """Return the codes of Acquisition Device Type (0022,0015)."""
    return _codes(dataset, "AcquisitionDeviceTypeCodeSequence")


def _refuse_other_subjects(dataset: Dataset) -> None:
    other_device = _meaning(device_codes(dataset), OTHER_DEVICES)
    if other_device:
        raise _not_input(f"Acquisition Device Type (0022,0015) says {other_device}")
    structures = _structures(dataset)
    front = _meaning(structures, FRONT_OF_THE_EYE)
    if front and not structures & FUNDUS.keys():
        raise _not_input(f"Anatomic Region (0008,2218) says {front}")
    if text_of(dataset, "SOPClassUID") != VLPhotographicImageStorage:
        return
    # A photograph of the general class may show anything: only the object itself can say.
    is_ophthalmic = text_of(dataset, "Modality").upper() == "OP" and structures <= EYE
    if not (is_ophthalmic or structures & FUNDUS.keys()):
        raise _not_input(
            "Neither Modality (0008,0060) nor Anatomic Region (0008,2218) says that this "
            "photograph shows the retina"
        )


def _structures(dataset: Dataset) -> frozenset[str]:
    regions = items_of(dataset, "AnatomicRegionSequence")
    places = (_codes(place, "PrimaryAnatomicStructureSequence") for place in (dataset, *regions))
    return _codes(dataset, "AnatomicRegionSequence").union(*places)


def _meaning(codes: frozenset[str], meanings: Mapping[str, str]) -> str:
    return ", ".join(sorted({meanings[code] for code in codes & meanings.keys()}))


def _refuse_other_light(dataset: Dataset) -> None:
    agents = values_of(dataset, "ContrastBolusAgentSequence")
    if agents or text_of(dataset, "ContrastBolusAgent"):
        raise _not_input("Contrast/Bolus Agent (0018,0010 or 0018,0012) is given: an angiogram")
    said = _OTHER_LIGHT.intersection(_image_type(dataset)[2:])
    if said:
        raise _not_input(f"Image Type (0008,0008) says {', '.join(sorted(said))}")
    for keyword in _DESCRIPTIONS:
        if _OTHER_LIGHT_WORDS.search(text_of(dataset, keyword)):
            raise _not_input(f"{keyword} speaks of angiography or autofluorescence")


def _not_input(finding: str) -> ScanRefused:
    return ScanRefused(
        ReasonCode.NOT_MODEL_INPUT,
        f"{finding}: no model takes such a picture. Nothing to do.",
    )


def _image_type(dataset: Dataset) -> tuple[str, ...]:
    return tuple(clean_text(value).upper() for value in values_of(dataset, "ImageType"))


def _codes(dataset: Dataset, keyword: str) -> frozenset[str]:
    return frozenset(text_of(item, "CodeValue") for item in items_of(dataset, keyword)) - {""}

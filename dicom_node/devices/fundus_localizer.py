"""Whether a photograph belongs to an OCT scan: such a picture is never scored by itself."""

from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import items_of, silenced_reader, text_of, whole_number_of
from dicom_node.devices.description import read_device
from dicom_node.devices.functional_groups import every_item
from dicom_node.devices.fundus_codes import LASER_OPHTHALMOSCOPE, OCT_SCANNER
from dicom_node.devices.fundus_purpose import device_codes

_REFERENCES: Final = (
    "OphthalmicFrameLocationSequence",
    "ReferencedImageSequence",
    "ReferencedInstanceSequence",
    "SourceImageSequence",
)


def is_localizer(dataset: Dataset) -> bool:
    """Tell whether a picture is by its own attributes the localizer of an OCT scan.

    That is one an OCT scanner took, and a grey one of a scanning laser ophthalmoscope or of a
    device that also makes OCT: those take them for orientation, in infrared light.
    """
    with silenced_reader():
        codes = device_codes(dataset)
        is_grey = whole_number_of(dataset, "SamplesPerPixel") == 1
        is_for_orientation = bool(codes & LASER_OPHTHALMOSCOPE) or _makes_oct(dataset)
        return bool(codes & OCT_SCANNER) or (is_grey and is_for_orientation)


def refuse_localizer(dataset: Dataset) -> None:
    """Refuse the localizer of an OCT scan.

    Raises
    ------
    ScanRefused
        `not_model_input`.
    """
    if is_localizer(dataset):
        raise of_an_oct_scan(
            "Acquisition Device Type (0022,0015), Manufacturer (0008,0070) or its model name "
            "(0008,1090) says that a device for OCT took this picture"
        )


def of_an_oct_scan(finding: str) -> ScanRefused:
    """Return the refusal of a picture that belongs to an OCT scan."""
    return ScanRefused(
        ReasonCode.NOT_MODEL_INPUT,
        f"{finding}: it is taken as part of an OCT scan and is not scored by itself. Nothing to "
        "do; the OCT scan gives the better estimate.",
    )


def belongs_to_scan(photograph: Dataset, scan: Dataset) -> bool:
    """Tell whether an OCT scan of the same study refers to a photograph or shares its device.

    Parameters
    ----------
    photograph, scan
        Their headers; pixels are not needed.
    """
    with silenced_reader():
        device = read_device(photograph)
        same_device = device == read_device(scan) and bool(device.manufacturer or device.model)
        return same_device or text_of(photograph, "SOPInstanceUID") in _referred(scan)


def _referred(scan: Dataset) -> frozenset[str]:
    items = (
        item
        for keyword in _REFERENCES
        for item in (*every_item(scan, keyword), *items_of(scan, keyword))
    )
    return frozenset(text_of(item, "ReferencedSOPInstanceUID") for item in items) - {""}


def _makes_oct(dataset: Dataset) -> bool:
    device = read_device(dataset)
    model = device.model.upper()
    is_heidelberg = device.manufacturer.upper().startswith("HEIDELBERG")
    return is_heidelberg or "OCT" in model or "CIRRUS" in model

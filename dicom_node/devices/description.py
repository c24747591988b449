"""What an object says of itself, whether or not it can be scored."""

from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.laterality import Laterality
from core.values.reason import Reason
from core.values.scan import Device
from dicom_node.devices.attributes import silenced_reader, text_of
from dicom_node.devices.examination_time import read_acquired_at, read_age_years
from dicom_node.devices.laterality import read_laterality


@dataclass(frozen=True)
class ScanDescription:
    """What is certain of a scan, for results with and without an estimate.

    Attributes
    ----------
    sop_class_uid
        Empty where the object does not say.
    device
        What took it.
    laterality
        The eye; None where it is not certain.
    laterality_refusal
        Why the eye is not certain; None where it is.
    acquired_at
        When the device took it; None where it did not say.
    age_years
        Age of the patient at the scan; None where unknown. Never invented.
    """

    sop_class_uid: str
    device: Device
    laterality: Laterality | None
    laterality_refusal: Reason | None
    acquired_at: datetime | None
    age_years: float | None


def describe(dataset: Dataset, localizer: Dataset | None = None) -> ScanDescription:
    """Return what an object says of itself; bad values count as absent and never raise.

    Parameters
    ----------
    localizer
        The picture the scan was planned on, where it is at hand: one of the other eye makes the
        laterality uncertain.
    """
    with silenced_reader():
        acquired_at = read_acquired_at(dataset)
        laterality, refusal = _laterality(dataset, localizer)
        return ScanDescription(
            sop_class_uid=text_of(dataset, "SOPClassUID"),
            device=read_device(dataset),
            laterality=laterality,
            laterality_refusal=refusal,
            acquired_at=acquired_at,
            age_years=read_age_years(dataset, acquired_at),
        )


def read_device(dataset: Dataset) -> Device:
    """Return the device that wrote an object; empty text where it does not say."""
    return Device(
        manufacturer=text_of(dataset, "Manufacturer"),
        model=text_of(dataset, "ManufacturerModelName"),
        serial_number=text_of(dataset, "DeviceSerialNumber"),
    )


def _laterality(
    dataset: Dataset, localizer: Dataset | None
) -> tuple[Laterality | None, Reason | None]:
    try:
        return read_laterality(dataset, localizer), None
    except ScanRefused as refused:
        return None, refused.reason

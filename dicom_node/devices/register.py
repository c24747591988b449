"""The makes of device the node knows, asked in this order.

A new make is one file beside this one, one line here and one test.
"""

from typing import Final

from pydicom.dataset import Dataset

from dicom_node.devices.generic import Generic
from dicom_node.devices.heidelberg import Heidelberg
from dicom_node.devices.profile import DeviceProfile
from dicom_node.devices.zeiss import Zeiss

#: The last one takes whatever the others do not recognise.
DEVICE_PROFILES: Final[tuple[DeviceProfile, ...]] = (Heidelberg(), Zeiss(), Generic())


def profile_of(dataset: Dataset) -> DeviceProfile:
    """Return the profile of the make that wrote an object."""
    return next(profile for profile in DEVICE_PROFILES if profile.recognises(dataset))

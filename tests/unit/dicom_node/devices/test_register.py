from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicom_node.devices.generic import Generic
from dicom_node.devices.register import DEVICE_PROFILES, profile_of


def test_register_ends_with_the_profile_that_takes_everything() -> None:
    assert [type(profile) for profile in DEVICE_PROFILES].index(Generic) == len(DEVICE_PROFILES) - 1
    assert isinstance(profile_of(Dataset()), Generic)


def test_register_profiles_answer_to_any_manufacturer() -> None:
    for value in ("", "Heidelberg Engineering", "CARL ZEISS MEDITEC AG\0x", "Topcon", b"\xff", 3):
        dataset = Dataset()
        dataset.add(DataElement(Tag("Manufacturer"), "LO", value, validation_mode=config.IGNORE))

        recognising = [profile for profile in DEVICE_PROFILES if profile.recognises(dataset)]

        assert len(recognising) in {1, 2}
        assert profile_of(dataset) is recognising[0]

from pydicom.dataset import Dataset

from dicom_node.devices.generic import Generic
from dicom_node.devices.reading import read_scan
from tests.builders.opt import build_circle_opt, build_localizer


def test_generic_takes_every_object_and_refuses_none() -> None:
    profile = Generic()

    assert profile.recognises(Dataset())
    assert profile.refusal(Dataset()) is None
    assert not profile.scrambles_pixels


def test_generic_reads_a_scan_of_an_unknown_make() -> None:
    scan = read_scan(build_circle_opt(Manufacturer="Nobody"), build_localizer())

    assert scan.device.manufacturer == "Nobody"

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_node.devices.heidelberg import Heidelberg
from dicom_node.devices.reading import read_scan
from dicom_node.devices.register import profile_of
from tests.builders.opt import build_circle_opt, build_localizer


@pytest.mark.parametrize("maker", ["Heidelberg Engineering", " HEIDELBERG ENGINEERING GmbH"])
def test_heidelberg_recognises_its_maker(maker: str) -> None:
    dataset = Dataset()
    dataset.Manufacturer = maker

    assert isinstance(profile_of(dataset), Heidelberg)


@pytest.mark.parametrize("maker", ["", "Topcon", "Carl Zeiss Meditec"])
def test_heidelberg_leaves_others_alone(maker: str) -> None:
    dataset = Dataset()
    dataset.Manufacturer = maker

    assert not Heidelberg().recognises(dataset)


def test_heidelberg_wrote_the_public_circle_scan(shared_data: Path) -> None:
    dataset = dcmread(shared_data / "oct" / "spectralis_circle_od" / "bscan_opt.dcm")

    assert isinstance(profile_of(dataset), Heidelberg)
    assert Heidelberg().refusal(dataset) is None


def test_heidelberg_oddities_do_not_hinder_reading() -> None:
    dataset = build_circle_opt(
        Manufacturer="Heidelberg Engineering",
        ImageType=["ORIGINAL", "PRIMARY", "", "RED"],
        Laterality="",
    )
    dataset.RefractiveStateSequence = Sequence([])
    dataset.DerivationDescription = "JPEG Lossless Compression (Ashvins)"

    assert read_scan(dataset, build_localizer()).notes == ()

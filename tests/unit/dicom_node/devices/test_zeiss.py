import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, RawDataStorage

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.reading import read_scan
from dicom_node.devices.register import profile_of
from dicom_node.devices.zeiss import Zeiss
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt

MAKER = "Carl Zeiss Meditec"


@pytest.mark.parametrize("maker", ["Carl Zeiss Meditec", "CARL ZEISS MEDITEC AG"])
def test_zeiss_recognises_its_maker(maker: str) -> None:
    dataset = Dataset()
    dataset.Manufacturer = maker

    assert isinstance(profile_of(dataset), Zeiss)


def test_zeiss_volumes_in_raw_data_are_refused_as_obfuscated() -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.Modality, dataset.Manufacturer = RawDataStorage, "OPT", MAKER

    with pytest.raises(ScanRefused, match="export standard OPT") as refused:
        read_scan(dataset)

    assert refused.value.reason.code is ReasonCode.VENDOR_ENCRYPTED_PIXELS


@pytest.mark.parametrize(("modality", "maker"), [("OPV", MAKER), ("OPT", "Someone else")])
def test_zeiss_other_raw_data_are_no_model_input(modality: str, maker: str) -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.Modality, dataset.Manufacturer = RawDataStorage, modality, maker

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset)

    assert refused.value.reason.code is ReasonCode.NOT_MODEL_INPUT


def test_zeiss_frames_that_state_another_size_are_refused_as_obfuscated() -> None:
    dataset = build_circle_opt(
        recording=Recording(transfer_syntax_uid=JPEG2000Lossless), Manufacturer=MAKER, Rows=768
    )
    dataset.Columns = 496

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset)

    assert refused.value.reason.code is ReasonCode.VENDOR_ENCRYPTED_PIXELS


def test_zeiss_frames_that_no_decoder_reads_are_refused_as_obfuscated() -> None:
    dataset = build_circle_opt(
        recording=Recording(transfer_syntax_uid=JPEG2000Lossless), Manufacturer=MAKER
    )
    dataset.PixelData = encapsulate([bytes(range(256)) * 40])

    with pytest.raises(ScanRefused) as refused:
        read_scan(dataset)

    assert refused.value.reason.code is ReasonCode.VENDOR_ENCRYPTED_PIXELS

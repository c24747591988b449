import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.pixels import LARGEST_FRAME_COUNT, describe_pixels, read_frame
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt


def scan_of(bits: int = 8, transfer_syntax_uid: UID | None = None) -> Dataset:
    if transfer_syntax_uid is None:
        return build_circle_opt(recording=Recording(bits=bits))
    return build_circle_opt(recording=Recording(transfer_syntax_uid=transfer_syntax_uid, bits=bits))


def put(dataset: Dataset, keyword: str, vr: str, value: object) -> None:
    """Set an attribute to what a broken sender may write."""
    dataset.add(DataElement(Tag(keyword), vr, value, validation_mode=config.IGNORE))


def code_of(dataset: Dataset, *, scrambles: bool = False) -> ReasonCode:
    with pytest.raises(ScanRefused) as refused:
        description = describe_pixels(dataset, scrambles=scrambles)
        read_frame(dataset, description, 0, scrambles=scrambles)
    return refused.value.reason.code


def test_pixels_absent_are_named_so() -> None:
    with pytest.raises(ScanRefused, match=r"no Pixel Data \(7FE0,0010\)") as refused:
        describe_pixels(build_circle_opt(pixels=None), scrambles=False)

    assert refused.value.reason.code is ReasonCode.PIXELS_UNREADABLE


def test_pixels_shorter_than_stated_are_truncated() -> None:
    assert code_of(build_circle_opt(truncated=True)) is ReasonCode.PIXELS_TRUNCATED


def test_pixels_of_a_header_that_asks_for_more_than_there_is_are_truncated() -> None:
    dataset = scan_of()
    dataset.NumberOfFrames = LARGEST_FRAME_COUNT

    assert code_of(dataset) is ReasonCode.PIXELS_TRUNCATED


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("Rows", 65535), ("Columns", 65535), ("NumberOfFrames", LARGEST_FRAME_COUNT + 1)],
)
@pytest.mark.parametrize("transfer_syntax_uid", [None, RLELossless, JPEG2000Lossless])
def test_pixels_beyond_the_limit_are_too_large(
    keyword: str, value: int, transfer_syntax_uid: UID | None
) -> None:
    dataset = scan_of(8, transfer_syntax_uid)
    setattr(dataset, keyword, value)
    if keyword != "NumberOfFrames":
        dataset.Rows = dataset.Columns = 65535

    assert code_of(dataset) is ReasonCode.TOO_LARGE


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("NumberOfFrames", "LO", "1A"),
        ("NumberOfFrames", "LO", "0"),
        ("NumberOfFrames", "LO", "-3"),
        ("Rows", "US", None),
        ("Columns", "US", 0),
        ("BitsAllocated", "US", 32),
        ("BitsAllocated", "US", 1),
        ("BitsStored", "US", 16),
        ("SamplesPerPixel", "US", 3),
        ("PhotometricInterpretation", "CS", "RGB"),
        ("PhotometricInterpretation", "CS", "PALETTE COLOR"),
        ("PixelData", "OB", None),
    ],
)
def test_pixels_with_a_wrong_description_are_unreadable(
    keyword: str, vr: str, value: object
) -> None:
    dataset = scan_of()
    put(dataset, keyword, vr, value)

    assert code_of(dataset) is ReasonCode.PIXELS_UNREADABLE


def test_pixels_without_file_meta_are_unreadable() -> None:
    dataset = scan_of()
    del dataset.file_meta

    assert code_of(dataset) is ReasonCode.PIXELS_UNREADABLE


def test_pixels_of_a_transfer_syntax_without_decoder_are_unreadable() -> None:
    dataset = scan_of()
    dataset.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.100")

    assert code_of(dataset) is ReasonCode.PIXELS_UNREADABLE


@pytest.mark.parametrize(
    "transfer_syntax_uid",
    [RLELossless, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEGExtended12Bit],
)
@pytest.mark.parametrize(
    ("scrambles", "code"),
    [(False, ReasonCode.PIXELS_UNREADABLE), (True, ReasonCode.VENDOR_ENCRYPTED_PIXELS)],
)
def test_pixels_that_are_no_codestream_are_refused(
    transfer_syntax_uid: UID, scrambles: bool, code: ReasonCode
) -> None:
    dataset = scan_of(8, JPEG2000Lossless)
    dataset.file_meta.TransferSyntaxUID = transfer_syntax_uid
    dataset.PixelData = encapsulate([b"\x11\x22\x33\x44" * 500])

    assert code_of(dataset, scrambles=scrambles) is code


@pytest.mark.parametrize("transfer_syntax_uid", [JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize(
    ("scrambles", "code"),
    [(False, ReasonCode.PIXELS_UNREADABLE), (True, ReasonCode.VENDOR_ENCRYPTED_PIXELS)],
)
def test_pixels_whose_codestream_has_another_size_are_refused_undecoded(
    transfer_syntax_uid: UID, scrambles: bool, code: ReasonCode
) -> None:
    dataset = scan_of(8, transfer_syntax_uid)
    dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows

    with pytest.raises(ScanRefused, match="496 × 768") as refused:
        describe_pixels(dataset, scrambles=scrambles)

    assert refused.value.reason.code is code


@pytest.mark.parametrize("transfer_syntax_uid", [JPEG2000Lossless, JPEGLSLossless])
def test_pixels_of_a_codestream_without_end_are_truncated(transfer_syntax_uid: UID) -> None:
    dataset = scan_of(8, transfer_syntax_uid)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: len(frame) // 2]])

    assert code_of(dataset) is ReasonCode.PIXELS_TRUNCATED


def test_pixels_of_a_damaged_rle_frame_are_unreadable() -> None:
    dataset = scan_of(8, RLELossless)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: len(frame) // 2]])

    assert code_of(dataset) is ReasonCode.PIXELS_UNREADABLE

import pytest
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from dicom_node.devices.codestream import codestream_size, is_complete
from sample_dicom.eye import Recording
from tests.builders.opt import build_circle_opt


def frame_in(transfer_syntax_uid: str) -> bytes:
    dataset = build_circle_opt(recording=Recording(transfer_syntax_uid=transfer_syntax_uid))
    return get_frame(dataset.PixelData, 0, number_of_frames=1)


@pytest.mark.parametrize("transfer_syntax_uid", [JPEG2000Lossless, JPEGLSLossless])
def test_codestream_states_rows_and_columns(transfer_syntax_uid: str) -> None:
    assert codestream_size(frame_in(transfer_syntax_uid)) == (496, 768)


def test_codestream_inside_a_jp2_file_states_its_size() -> None:
    assert codestream_size(b"\0\0\0\x0cjP  \r\n\x87\n" + frame_in(JPEG2000Lossless)) == (496, 768)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff",
        b"\xff\xd8\xff",
        b"\xff\x4f\xff\x51\0\x29",
        b"\xff\xd8\xff\xda\0\x08" + bytes(20),
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(20),
        b"\xff\xd8" + b"\xff" * 50,
        b"noise" * 100,
    ],
)
def test_codestream_that_states_no_size_gives_none(frame: bytes) -> None:
    assert codestream_size(frame) is None


@pytest.mark.parametrize("padding", [b"", b"\0", b"\xff", b"\0\0\0"])
def test_codestream_is_complete_with_its_end_marker(padding: bytes) -> None:
    assert is_complete(frame_in(JPEG2000Lossless) + padding)


def test_codestream_cut_short_is_not_complete() -> None:
    assert not is_complete(frame_in(JPEG2000Lossless)[:-100])

from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from dicom_node.errors import FileInvalid, InvalidInstance, ObjectTooLarge
from dicom_node.media.whole import check_whole
from tests.builders.encoded_instance import as_file, build_instance, encode_instance

LIMIT = 1 << 20
SR = "1.2.840.10008.5.1.4.1.1.88.33"


def judge(path: Path, content: bytes, limit: int = LIMIT) -> None:
    path.write_bytes(content)
    with path.open("rb") as file:
        check_whole(file, limit)


def is_whole(path: Path, content: bytes) -> bool:
    try:
        judge(path, content)
    except (FileInvalid, InvalidInstance):
        return False
    return True


def encoded(syntax: str) -> bytes:
    if syntax == JPEGBaseline8Bit:
        frames = encapsulate([b"\xff\xd8one", b"\xff\xd8other\x00"])
        return as_file(encode_instance(transfer_syntax_uid=syntax, PixelData=frames))
    return as_file(encode_instance(transfer_syntax_uid=syntax, PixelData=bytes(200)))


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        JPEGBaseline8Bit,
    ],
)
def test_a_file_is_whole_at_its_last_byte_and_not_before(tmp_path: Path, syntax: str) -> None:
    content = encoded(syntax)

    whole = [n for n in range(len(content) + 1) if is_whole(tmp_path / "scan", content[:n])]

    assert whole == [len(content)]


def test_a_report_is_whole_without_pixels(tmp_path: Path) -> None:
    none = dict.fromkeys(("Rows", "Columns", "PixelData"))

    assert is_whole(tmp_path / "sr", as_file(encode_instance(SOPClassUID=SR, **none)))
    assert not is_whole(tmp_path / "scan", as_file(encode_instance(**none)))


def test_elements_behind_the_pixels_count(tmp_path: Path) -> None:
    dataset: Dataset = build_instance(DataSetTrailingPadding=bytes(3000))
    content = as_file(encode_instance(**{e.keyword: e.value for e in dataset}))

    assert is_whole(tmp_path / "scan", content)
    assert not is_whole(tmp_path / "scan", content[:-1])


def test_a_file_that_is_allocated_and_not_written_yet_is_not_whole(tmp_path: Path) -> None:
    content = as_file(encode_instance(PixelData=bytes(200)))

    assert not is_whole(tmp_path / "scan", bytes(len(content)))
    assert not is_whole(tmp_path / "scan", content[:400] + bytes(len(content) - 400))


def test_a_deflated_bomb_is_refused(tmp_path: Path) -> None:
    content = as_file(
        encode_instance(
            transfer_syntax_uid=DeflatedExplicitVRLittleEndian, PixelData=bytes(4 * LIMIT)
        )
    )
    assert len(content) < LIMIT

    with pytest.raises(ObjectTooLarge):
        judge(tmp_path / "scan", content)

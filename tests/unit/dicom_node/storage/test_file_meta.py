from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from dicom_node.errors import FileInvalid
from dicom_node.storage.file_meta import MAXIMUM_HEAD_BYTES, FileMeta, read_file_meta
from tests.builders.encoded_instance import as_file, encode_instance

PREAMBLE = b"\x00" * 128 + b"DICM"
SYNTAX = b"\x02\x00\x10\x00UI\x04\x001.2\x00"
DATA_SET = b"\x08\x00\x05\x00CS\x00\x00"


def group_length(length: int) -> bytes:
    return b"\x02\x00\x00\x00UL\x04\x00" + length.to_bytes(4, "little")


def test_head_says_what_follows_and_where() -> None:
    encoded = encode_instance(ImplicitVRLittleEndian)
    file = as_file(encoded)

    meta = read_file_meta(file)

    assert meta == FileMeta(
        encoded.sop_class_uid,
        encoded.sop_instance_uid,
        ImplicitVRLittleEndian,
        len(file) - len(encoded.data_set),
    )


@pytest.mark.parametrize("head", [b"", group_length(12), group_length(5), group_length(4000)])
def test_group_length_may_be_missing_or_wrong(head: bytes) -> None:
    file = PREAMBLE + head + SYNTAX + DATA_SET

    assert read_file_meta(file) == FileMeta("", "", "1.2", len(file) - len(DATA_SET))


def test_data_set_that_begins_like_the_head_is_told_apart_by_the_group_length() -> None:
    file = PREAMBLE + group_length(12) + SYNTAX + SYNTAX

    assert read_file_meta(file) == FileMeta("", "", "1.2", len(file) - len(SYNTAX))


@pytest.mark.parametrize(
    "file",
    [
        b"no DICOM file" * 20,
        b"\x00" * 128 + b"DICN",
        PREAMBLE + b"\x02\x00\x10\x00\x04\x00\x00\x001.2\x00",
        PREAMBLE + b"\x02\x00\x02\x01OB\x00\x00\xff\xff\xff\xff",
        PREAMBLE + SYNTAX * (MAXIMUM_HEAD_BYTES // len(SYNTAX) + 1),
    ],
    ids=["text", "other prefix", "implicit VR", "4 GiB element", "endless"],
)
def test_what_is_no_dicom_file_is_refused(file: bytes) -> None:
    with pytest.raises(FileInvalid):
        read_file_meta(file)


@pytest.mark.parametrize("length", range(0, len(PREAMBLE + SYNTAX) + 1, 7))
def test_beginning_of_a_head_needs_more(length: int) -> None:
    assert read_file_meta((PREAMBLE + SYNTAX)[:length]) is None


@given(
    head=st.one_of(
        st.binary(max_size=400),
        st.binary(max_size=60).map(lambda rest: PREAMBLE + rest),
        st.binary(max_size=60).map(lambda rest: PREAMBLE + SYNTAX + rest),
    )
)
def test_any_bytes_are_read_alike_in_any_fragments(head: bytes) -> None:
    assert first_answer(head, step=1) == first_answer(head, step=len(head) or 1)


def first_answer(head: bytes, step: int) -> FileMeta | str | None:
    """Return what the growing head says first: its meaning, or that it is refused."""
    for end in range(step, len(head) + 1, step):
        try:
            meta = read_file_meta(head[:end])
        except FileInvalid:
            return "refused"
        if meta is not None:
            return meta
    return None


def test_real_heads_are_read_as_pydicom_reads_them(shared_data: Path) -> None:
    paths = sorted((shared_data / "robustness" / "pydicom").iterdir())
    read = [path for path in paths if path.read_bytes()[128:132] == b"DICM"]

    for path in read:
        expected = dcmread(path, force=True, stop_before_pixels=True).file_meta
        meta = read_file_meta(path.read_bytes())
        assert meta is not None
        assert meta.transfer_syntax_uid == str(expected.get("TransferSyntaxUID", ""))
        assert meta.sop_instance_uid == str(expected.get("MediaStorageSOPInstanceUID", ""))
    assert len(read) > 30

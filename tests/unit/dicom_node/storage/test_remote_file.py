import os
from io import BufferedReader, BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from dicom_node.storage.remote_file import _PIECE_BYTES, RemoteFile
from tests.builders.encoded_instance import as_file, encode_instance

CONTENT = bytes(range(256)) * 4
HEAD_BYTES = 64
STEPS = st.lists(
    st.tuples(st.integers(0, len(CONTENT) + 20), st.sampled_from([-1, 0, 1, 7, 100, 5000]))
)


def remote_file() -> RemoteFile:
    content = memoryview(CONTENT)
    return RemoteFile(len(CONTENT), CONTENT[:HEAD_BYTES], lambda start, end: content[start:end])


@given(steps=STEPS)
def test_it_reads_as_a_file_does(steps: list[tuple[int, int]]) -> None:
    expected = BytesIO(CONTENT)
    with BufferedReader(remote_file(), 32) as file:
        for place, length in steps:
            assert file.seek(place) == expected.seek(place)
            assert file.read(length) == expected.read(length)
            assert file.tell() == expected.tell()


def test_it_is_read_as_a_dicom_file() -> None:
    content = memoryview(as_file(encode_instance()))
    raw = RemoteFile(len(content), bytes(content[:200]), lambda start, end: content[start:end])

    with BufferedReader(raw, 64) as file:
        assert dcmread(file) == dcmread(BytesIO(content))


def test_it_is_read_from_its_end_and_not_from_before_it_begins() -> None:
    file = remote_file()

    assert file.seek(-2, os.SEEK_END) == len(CONTENT) - 2
    assert file.read() == CONTENT[-2:]
    assert file.seek(-3, os.SEEK_CUR) == len(CONTENT) - 3
    with pytest.raises(ValueError, match="before the first byte"):
        file.seek(-1)


def test_however_much_is_read_no_request_is_for_more_than_a_piece() -> None:
    content = memoryview(bytes(3 * _PIECE_BYTES + 5))
    asked: list[int] = []

    def fetch(start: int, end: int) -> memoryview:
        asked.append(end - start)
        return content[start:end]

    with BufferedReader(RemoteFile(len(content), b"", fetch), 64) as file:
        assert len(file.read(len(content))) == len(content)

    assert asked == [_PIECE_BYTES, _PIECE_BYTES, _PIECE_BYTES, 5]

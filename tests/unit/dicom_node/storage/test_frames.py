"""Where frames lie, for every way in which encapsulated pixels are written."""

import struct
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from dicom_node.errors import PixelsUnreadable
from dicom_node.storage.frames import end_of_pixels, is_encapsulated, table_of
from dicom_node.storage.kept_object import read_kept_object
from tests.builders.encoded_instance import encode_instance
from tests.builders.frames import ROWS, frames_instance, grey_frames

_TRAILER = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
#: Streams that end like JPEG: two fragments each for the second frame.
_FRAGMENTS = [b"one-\xff\xd9", b"two-", b"more\xff\xd9", b"thr-\xff\xd9"]
_FRAMES = [b"one-\xff\xd9", b"two-more\xff\xd9", b"thr-\xff\xd9"]


def item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def encapsulated(fragments: Sequence[bytes], table: bytes = b"", **keywords: object) -> bytes:
    """Return an encoded data set whose pixels are these fragments."""
    data_set = encode_instance(PixelData=None, **keywords).data_set
    pixels = item(table) + b"".join(map(item, fragments)) + _TRAILER
    return data_set + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + pixels


def frames_of(data_set: bytes, syntax: str = JPEGBaseline8Bit) -> list[bytes]:
    file = BytesIO(data_set)
    table = table_of(file, read_kept_object(file, 0, syntax))
    return [table.read(file, number) for number in range(1, len(table) + 1)]


def test_a_fragment_a_frame_needs_no_table() -> None:
    assert frames_of(encapsulated(_FRAGMENTS, NumberOfFrames=4)) == _FRAGMENTS


def test_a_single_frame_may_have_any_number_of_fragments() -> None:
    assert frames_of(encapsulated(_FRAGMENTS)) == [b"".join(_FRAGMENTS)]


def test_the_basic_offset_table_tells_where_frames_begin() -> None:
    starts = struct.pack("<3I", 0, 14, 14 + 12 + 14)

    assert frames_of(encapsulated(_FRAGMENTS, starts, NumberOfFrames=3)) == _FRAMES


def test_the_extended_offset_table_does_so_too() -> None:
    starts = struct.pack("<3Q", 0, 14, 14 + 12 + 14)
    lengths = struct.pack("<3Q", 6, 10, 6)
    keywords = {"ExtendedOffsetTable": starts, "ExtendedOffsetTableLengths": lengths}

    assert frames_of(encapsulated(_FRAGMENTS, NumberOfFrames=3, **keywords)) == _FRAMES


def test_without_a_table_frames_end_where_their_streams_end() -> None:
    assert frames_of(encapsulated(_FRAGMENTS, NumberOfFrames=3)) == _FRAMES


@pytest.mark.parametrize(
    "data_set",
    [
        encapsulated(_FRAGMENTS, NumberOfFrames=9),
        encapsulated(_FRAGMENTS, NumberOfFrames=4)[:-12],
        encapsulated(_FRAGMENTS, NumberOfFrames=4).replace(
            b"\xfe\xff\x00\xe0", b"\xfe\xff\x01\xe0"
        ),
        encode_instance(PixelData=None).data_set,
    ],
)
def test_damaged_pixels_are_told(data_set: bytes) -> None:
    with pytest.raises(PixelsUnreadable):
        frames_of(data_set)


def test_uncompressed_frames_follow_each_other() -> None:
    frames = frames_of(frames_instance(frames=5, bits=16).data_set, ExplicitVRLittleEndian)

    assert frames == [frame.tobytes() for frame in grey_frames(5, 16)]


def test_pixels_that_are_missing_are_told() -> None:
    data_set = frames_instance(NumberOfFrames=5).data_set

    with pytest.raises(PixelsUnreadable, match="cut short"):
        frames_of(data_set, ExplicitVRLittleEndian)


def test_single_bits_are_cut_between_bytes() -> None:
    bits = np.random.default_rng(1).integers(0, 2, (3, 3, 7), np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    sizes = {"Rows": 3, "Columns": 7, "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}
    encoded = encode_instance(NumberOfFrames=3, PixelData=packed, **sizes)

    frames = frames_of(encoded.data_set, ExplicitVRLittleEndian)

    unpacked = [np.unpackbits(np.frombuffer(one, np.uint8), bitorder="little") for one in frames]
    assert [list(one[:21]) for one in unpacked] == [list(frame.ravel()) for frame in bits]


def test_what_stands_behind_the_pixels_is_found() -> None:
    padding = Dataset()
    padding.DataSetTrailingPadding = b"\0\0"
    data_set = encapsulated(_FRAGMENTS, NumberOfFrames=4)
    file = BytesIO(data_set + b"behind")
    kept = read_kept_object(file, 0, JPEGBaseline8Bit)

    assert end_of_pixels(file, kept) == len(data_set)
    assert kept.header.Rows == 2
    assert ROWS == 32


def test_which_transfer_syntaxes_are_compressed() -> None:
    assert is_encapsulated(JPEGBaseline8Bit)
    assert not is_encapsulated(ExplicitVRLittleEndian)
    assert not is_encapsulated("1.2.3")

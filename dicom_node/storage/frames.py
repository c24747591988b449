"""Where each frame of a kept object lies, so that one is read without the others."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID

from dicom_node.devices.attributes import silenced_reader, whole_number_of
from dicom_node.devices.codestream import is_complete
from dicom_node.errors import ObjectUnreadable, PixelsUnreadable
from dicom_node.storage.kept_object import KeptObject, Span

_EXTENDED_OFFSET_TABLE: Final = 0x7FE00001
_ITEM: Final = 0xFFFEE000
_SEQUENCE_END: Final = 0xFFFEE0DD
#: Far above any object; bounds what a hostile one may make us remember.
MAXIMUM_FRAGMENTS: Final = 1 << 20
_BITS_OF_FLOATS: Final = {0x7FE00008: 32, 0x7FE00009: 64}


@dataclass(frozen=True)
class FrameTable:
    """The frames of one object.

    Attributes
    ----------
    frames
        The spans each is made of, in order; the bits before and behind it are of its neighbours
        where `bits` is not a multiple of 8.
    bits
        Length of a frame that is not compressed; 0 for compressed ones.
    """

    transfer_syntax_uid: str
    frames: Sequence[Sequence[Span]]
    bits: int = 0

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, file: BinaryIO, number: int) -> bytes:
        """Return a frame (1 = the first) as it is stored.

        Raises
        ------
        ObjectUnreadable
            If the object ends before.
        """
        content = b"".join(_read(file, span) for span in self.frames[number - 1])
        if self.bits % 8 == 0:
            return content
        first = (number - 1) * self.bits % 8
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
        return np.packbits(bits[first : first + self.bits], bitorder="little").tobytes()


def table_of(file: BinaryIO, kept: KeptObject) -> FrameTable:
    """Return where the frames of an object lie.

    Raises
    ------
    PixelsUnreadable
        If it has no pixels, or they are not as its attributes say.
    """
    if not kept.pixels_tag:
        raise PixelsUnreadable("The object has no pixels")
    with silenced_reader():
        return _table_of(file, kept)


def _table_of(file: BinaryIO, kept: KeptObject) -> FrameTable:
    frames = number_of_frames(kept.header)
    if kept.pixels_length is not None:
        return _native_table(kept, frames)
    spans = list(_fragments(file, kept.pixels_start))
    grouped = _group(file, kept, spans, frames)
    if len(grouped) != frames:
        raise PixelsUnreadable("The object holds another number of frames than it states")
    return FrameTable(kept.transfer_syntax_uid, grouped)


def number_of_frames(header: Dataset) -> int:
    """Return the Number of Frames (0028,0008) of an object, 1 where it states none."""
    return max(1, whole_number_of(header, "NumberOfFrames") or 1)


def _native_table(kept: KeptObject, frames: int) -> FrameTable:
    header, length = kept.header, kept.pixels_length or 0
    sizes = [
        whole_number_of(header, keyword) or 0 for keyword in ("Rows", "Columns", "SamplesPerPixel")
    ]
    allocated = _BITS_OF_FLOATS.get(kept.pixels_tag) or whole_number_of(header, "BitsAllocated")
    if min(sizes) < 1 or not allocated:
        raise PixelsUnreadable("The object does not state the size of its frames")
    rows, columns, samples = sizes
    bits = rows * columns * samples * allocated
    if header.get("PhotometricInterpretation") == "YBR_FULL_422":
        # Each pair of pixels shares its two colours (PS3.3 C.7.6.3.1.2).
        bits = bits * 2 // 3
    if bits * frames > length * 8:
        raise PixelsUnreadable("The object was cut short: pixels are missing")
    return FrameTable(kept.transfer_syntax_uid, _Native(kept.pixels_start, bits, frames), bits)


@dataclass(frozen=True)
class _Native(Sequence[Sequence[Span]]):
    """Frames that follow each other; computed, not remembered."""

    start: int
    bits: int
    frames: int

    def __len__(self) -> int:
        return self.frames

    def __getitem__(self, index: int) -> Sequence[Span]:  # type: ignore[override]
        if not 0 <= index < self.frames:
            raise IndexError
        first, end = index * self.bits // 8, -(-(index + 1) * self.bits // 8)
        return [Span(self.start + first, end - first)]


def _fragments(file: BinaryIO, position: int) -> Iterator[Span]:
    """Yield the items of encapsulated pixels, the offset table first (PS3.5 A.4)."""
    for _ in range(MAXIMUM_FRAGMENTS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise PixelsUnreadable("The object was cut short: pixels are missing")
        group, element, length = struct.unpack("<HHI", head)
        tag = group << 16 | element
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise PixelsUnreadable("The fragments of the pixels are damaged")
        yield Span(position + 8, length)
        position += 8 + length
    raise PixelsUnreadable("The pixels have too many fragments")


def _group(
    file: BinaryIO, kept: KeptObject, items: Sequence[Span], frames: int
) -> Sequence[Sequence[Span]]:
    table, fragments = items[:1], items[1:]
    if len(fragments) == frames:
        return [[span] for span in fragments]
    if frames == 1:
        return [fragments]
    offsets = _offsets(file, kept, table)
    if offsets:
        return list(_split(fragments, offsets))
    return list(_split_at_ends(file, fragments))


def _offsets(file: BinaryIO, kept: KeptObject, table: Sequence[Span]) -> Sequence[int]:
    extended = (
        _read(file, kept.spans[_EXTENDED_OFFSET_TABLE])
        if _EXTENDED_OFFSET_TABLE in kept.spans
        else kept.header.get("ExtendedOffsetTable")
    )
    if isinstance(extended, bytes) and extended:
        return struct.unpack(f"<{len(extended) // 8}Q", extended[: len(extended) // 8 * 8])
    basic = _read(file, table[0]) if table else b""
    return struct.unpack(f"<{len(basic) // 4}I", basic[: len(basic) // 4 * 4])


def _split(fragments: Sequence[Span], offsets: Sequence[int]) -> Iterator[list[Span]]:
    # Offsets count from the first byte of the first fragment's item (PS3.5 A.4).
    first = fragments[0].start - 8 if fragments else 0
    starts = {first + offset for offset in offsets}
    group: list[Span] = []
    for span in fragments:
        if group and span.start - 8 in starts:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _split_at_ends(file: BinaryIO, fragments: Sequence[Span]) -> Iterator[list[Span]]:
    """Without offsets a frame ends where a fragment ends a JPEG, JPEG-LS or JPEG 2000 stream."""
    group: list[Span] = []
    for span in fragments:
        group.append(span)
        tail_bytes = min(16, span.length)
        tail = _read(file, Span(span.start + span.length - tail_bytes, tail_bytes))
        if is_complete(tail):
            yield group
            group = []
    if group:
        yield group


def end_of_pixels(file: BinaryIO, kept: KeptObject) -> int:
    """Return where the element behind the pixels begins.

    Raises
    ------
    PixelsUnreadable
        If the pixels have no end.
    """
    if kept.pixels_length is not None:
        return kept.pixels_start + kept.pixels_length
    last = kept.pixels_start
    for span in _fragments(file, kept.pixels_start):
        last = span.start + span.length
    return last + 8


def is_encapsulated(transfer_syntax_uid: str) -> bool:
    """Whether pixels of a transfer syntax are compressed."""
    uid = UID(transfer_syntax_uid)
    return uid.is_transfer_syntax and uid.is_encapsulated


def _read(file: BinaryIO, span: Span) -> bytes:
    file.seek(span.start)
    content = file.read(span.length)
    if len(content) < span.length:
        raise ObjectUnreadable("A kept object was cut short")
    return content

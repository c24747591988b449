"""Frames decompressed, and whole objects written uncompressed.

Runs in a process of its own (`decoding_process`): a damaged stream can end the process that decodes
it, which no handler here could stop.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filereader import read_dataset
from pydicom.uid import UID

from core.errors import ScanRefused
from dicom_node.devices.attributes import READING_ERRORS, silenced_reader, whole_number_of
from dicom_node.devices.encoded_frame import checked_codestream, decoded_frame
from dicom_node.devices.pixels import LARGEST_FRAME_PIXELS
from dicom_node.errors import PixelsUnreadable
from dicom_node.storage.encoding import encoding_of
from dicom_node.storage.frames import FrameTable, end_of_pixels, is_encapsulated, table_of
from dicom_node.storage.kept_object import KeptObject, read_kept_object
from dicom_node.storage.part10 import Announced, file_preamble

_PIXEL_DATA: Final = 0x7FE00010
_EXTENDED_OFFSET_TABLES: Final = (0x7FE00001, 0x7FE00002)
#: Digital signatures no longer hold, padding has no meaning (PS3.3 C.12.1.1.3.1.1, PS3.5 annex F).
_DROPPED_GROUPS: Final = (0xFFFA, 0xFFFC)
_LARGEST_VALUE_BYTES: Final = 0xFFFFFFFE
_CHUNK_BYTES: Final = 1 << 20
_DESCRIPTION: Final = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RedPaletteColorLookupTableDescriptor",
)


def decode_frame(file: BinaryIO, kept: KeptObject, table: FrameTable, number: int) -> NDArray[Any]:
    """Return a frame (1 = the first): stored grey values, or red, green and blue.

    Shape (rows, columns) or (rows, columns, 3).

    Raises
    ------
    PixelsUnreadable
        If it cannot be decoded.
    """
    try:
        with silenced_reader():
            return _decode(kept, table.read(file, number))
    except ScanRefused as error:
        raise PixelsUnreadable(str(error)) from error
    except READING_ERRORS as error:
        raise PixelsUnreadable(f"The pixels cannot be decoded ({type(error).__name__})") from error


def _decode(kept: KeptObject, frame: bytes) -> NDArray[Any]:
    dataset = _single_frame(kept, frame)
    rows, columns = (whole_number_of(dataset, name) or 0 for name in ("Rows", "Columns"))
    if not 0 < rows * columns <= LARGEST_FRAME_PIXELS:
        raise PixelsUnreadable("The frames are larger than any that is decoded here")
    if is_encapsulated(kept.transfer_syntax_uid):
        checked_codestream(dataset, 0, 1, (rows, columns), scrambles=False)
    is_colour = (whole_number_of(dataset, "SamplesPerPixel") or 1) > 1
    decoded = decoded_frame(dataset, 0, raw=not is_colour)
    if decoded.shape[:2] != (rows, columns):
        raise PixelsUnreadable("The decoded frame has another size than is stated")
    return decoded


def _single_frame(kept: KeptObject, frame: bytes) -> Dataset:
    dataset = Dataset()
    for keyword in _DESCRIPTION:
        if keyword in kept.header:
            dataset[keyword] = kept.header[keyword]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(kept.transfer_syntax_uid)
    padded = frame + b"\0" * (len(frame) % 2)
    if is_encapsulated(kept.transfer_syntax_uid):
        dataset.add_new(_PIXEL_DATA, "OB", encapsulate([padded]))
        dataset["PixelData"].is_undefined_length = True
    else:
        dataset.add_new(_PIXEL_DATA, "OW", padded)
    dataset.set_original_encoding(False, encoding_of(kept.transfer_syntax_uid).is_little_endian)
    return dataset


def write_uncompressed(
    file: BinaryIO, start: int, announced: Announced, target: BinaryIO, syntax: str
) -> None:
    """Write an object as a DICOM file of an uncompressed transfer syntax, a frame at a time.

    Parameters
    ----------
    start
        Where in `file` its (inflated) data set begins.
    announced
        What it is, in its own transfer syntax.
    syntax
        Explicit or Implicit VR Little Endian.

    Raises
    ------
    PixelsUnreadable
        If its pixels cannot be decoded.
    ObjectUnreadable
        If its attributes cannot be read.
    """
    kept = read_kept_object(file, start, announced.transfer_syntax_uid)
    header = kept.header
    for tag, span in kept.spans.items():
        file.seek(span.start)
        header[tag].value = file.read(span.length)
    following = _following(file, kept)
    pieces, length = _pixels(file, kept) if kept.pixels_tag else (iter(()), 0)
    if not encoding_of(kept.transfer_syntax_uid).is_little_endian:
        _swap_words(header)
        _swap_words(following)
    target.write(
        file_preamble(
            Announced(
                transfer_syntax_uid=syntax,
                sop_class_uid=announced.sop_class_uid,
                sop_instance_uid=announced.sop_instance_uid,
            )
        )
    )
    target.write(_encoded(header, syntax))
    if kept.pixels_tag:
        _write_pixels(target, kept, syntax, pieces, length)
    target.write(_encoded(following, syntax))


def _pixels(file: BinaryIO, kept: KeptObject) -> tuple[Iterator[bytes], int]:
    """Return the uncompressed value of the pixels, piece by piece, and its length."""
    if kept.pixels_length is not None:
        return _native_pixels(file, kept), kept.pixels_length
    table, header = table_of(file, kept), kept.header
    first = _little_endian(decode_frame(file, kept, table, 1))
    length = len(first) * len(table)
    if length > _LARGEST_VALUE_BYTES:
        raise PixelsUnreadable("Uncompressed the object is longer than 4 GiB")
    if (whole_number_of(header, "SamplesPerPixel") or 1) > 1:
        header.PhotometricInterpretation = "RGB"
        header.PlanarConfiguration = 0
    for tag in _EXTENDED_OFFSET_TABLES:
        header.pop(tag, None)

    def frames() -> Iterator[bytes]:
        yield first
        for number in range(2, len(table) + 1):
            frame = _little_endian(decode_frame(file, kept, table, number))
            if len(frame) != len(first):
                raise PixelsUnreadable("The frames of the object differ in length")
            yield frame

    return frames(), length


def _native_pixels(file: BinaryIO, kept: KeptObject) -> Iterator[bytes]:
    left = kept.pixels_length or 0
    swaps = not encoding_of(kept.transfer_syntax_uid).is_little_endian
    swaps = swaps and kept.header.get("BitsAllocated") == 16
    file.seek(kept.pixels_start)
    while left > 0:
        piece = file.read(min(left, _CHUNK_BYTES))
        if not piece:
            raise PixelsUnreadable("The object was cut short: pixels are missing")
        left -= len(piece)
        yield _swapped(piece) if swaps else piece


def _write_pixels(
    target: BinaryIO, kept: KeptObject, syntax: str, pieces: Iterator[bytes], length: int
) -> None:
    padded = length + length % 2
    group, element = divmod(kept.pixels_tag, 0x10000)
    tag = group.to_bytes(2, "little") + element.to_bytes(2, "little")
    vr = b""
    if not encoding_of(syntax).is_implicit_vr:
        vr = {0x7FE00008: b"OF", 0x7FE00009: b"OD"}.get(kept.pixels_tag) or _vr_of(kept.header)
        vr += b"\0\0"
    target.write(tag + vr + padded.to_bytes(4, "little"))
    for piece in pieces:
        target.write(piece)
    target.write(b"\0" * (padded - length))


def _vr_of(header: Dataset) -> bytes:
    return b"OW" if (whole_number_of(header, "BitsAllocated") or 8) > 8 else b"OB"


def _following(file: BinaryIO, kept: KeptObject) -> Dataset:
    if not kept.pixels_tag:
        return Dataset()
    encoding = encoding_of(kept.transfer_syntax_uid)
    file.seek(end_of_pixels(file, kept))
    with silenced_reader():
        rest = read_dataset(file, encoding.is_implicit_vr, encoding.is_little_endian)
    for tag in [one for one in list(rest.keys()) if one.group in _DROPPED_GROUPS]:
        del rest[tag]
    return rest


def _encoded(dataset: Dataset, syntax: str) -> bytes:
    encoding, buffer = encoding_of(syntax), BytesIO()
    with silenced_reader():
        dcmwrite(buffer, dataset, implicit_vr=encoding.is_implicit_vr, little_endian=True)
    return buffer.getvalue()


def _swap_words(dataset: Dataset) -> None:
    for element in dataset.iterall():
        if element.VR == "OW" and isinstance(element.value, bytes):
            element.value = _swapped(element.value)


def _swapped(content: bytes) -> bytes:
    return np.frombuffer(content, ">u2").astype("<u2").tobytes()


def _little_endian(frame: NDArray[Any]) -> bytes:
    return frame.astype(frame.dtype.newbyteorder("<"), copy=False).tobytes()

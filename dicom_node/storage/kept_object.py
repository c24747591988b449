"""Where things lie in a kept object: its attributes read, its pixels and documents left in place.

Values in pixels or in large binary elements at the top level are never read here, so that an object
of any length costs what its attributes cost.
"""

import zlib
from collections.abc import Generator, Mapping, MutableSequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement, convert_raw_data_element
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag

from core.errors import NodeError
from dicom_node.devices.attributes import READING_ERRORS, silenced_reader
from dicom_node.errors import ObjectUnreadable
from dicom_node.storage.bytes import Storage
from dicom_node.storage.encoding import Encoding, encoding_of, inflate
from dicom_node.storage.file_meta import MAXIMUM_HEAD_BYTES, read_file_meta

#: Longer top-level values of binary elements stay in the file.
DEFERRED_BYTES: Final = 1 << 16
_HEAD_BYTES: Final = 1024
_PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_UNDEFINED: Final = 0xFFFFFFFF
_CHARACTER_SET: Final = BaseTag(0x00080005)

_Element = RawDataElement | DataElement


@dataclass(frozen=True)
class Span:
    """Where a value lies in the content: its first byte, and how many."""

    start: int
    length: int


@dataclass(frozen=True)
class KeptObject:
    """What is known of an object beside its bulk values.

    Attributes
    ----------
    header
        Its attributes before the pixels; a value that stays in the file is empty.
    spans
        Where such values lie, by tag.
    pixels_tag, pixels_start, pixels_length
        Which Pixel Data it has, 0 for none; where their value begins; how long it is, None where
        they are encapsulated.
    """

    transfer_syntax_uid: str
    header: Dataset
    spans: Mapping[int, Span]
    pixels_tag: int = 0
    pixels_start: int = 0
    pixels_length: int | None = None


def data_set_start(file: BinaryIO) -> int:
    """Return where the data set of a DICOM file begins.

    Raises
    ------
    ObjectUnreadable
        If it is no DICOM file.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    try:
        meta = read_file_meta(head)
        if meta is None:
            meta = read_file_meta(head + file.read(MAXIMUM_HEAD_BYTES))
    except NodeError as error:
        raise ObjectUnreadable("A kept object has no file meta information") from error
    if meta is None:
        raise ObjectUnreadable("A kept object has no file meta information")
    return meta.length_bytes


@contextmanager
def open_content(
    storage: Storage, storage_key: str, transfer_syntax_uid: str, maximum_bytes: int
) -> Generator[tuple[BinaryIO, int]]:
    """Open an object; yield a file and where in it the (inflated) data set begins.

    Raises
    ------
    RecordNotFound, ObjectUnreadable, StorageAway
        As `Storage.open`.
    """
    encoding = encoding_of(transfer_syntax_uid)
    with storage.open(storage_key) as file:
        start = data_set_start(file)
        if not encoding.is_deflated:
            yield file, start
            return
        file.seek(start)
        yield BytesIO(_inflate_all(file.read(), maximum_bytes)), 0


def _inflate_all(deflated: bytes, maximum_bytes: int) -> bytes:
    inflate(deflated, maximum_bytes)
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(deflated)


def read_kept_object(file: BinaryIO, start: int, transfer_syntax_uid: str) -> KeptObject:
    """Return what lies where in an (inflated) data set.

    Raises
    ------
    ObjectUnreadable
        If it cannot be understood.
    """
    encoding = encoding_of(transfer_syntax_uid)
    try:
        with silenced_reader():
            return _read(file, start, encoding, transfer_syntax_uid)
    except READING_ERRORS as error:
        raise ObjectUnreadable(
            f"The attributes of a kept object cannot be read ({type(error).__name__})"
        ) from error


def _read(file: BinaryIO, start: int, encoding: Encoding, syntax: str) -> KeptObject:
    found: list[tuple[int, int]] = []

    def stop(tag: BaseTag, _vr: str | None, length: int) -> bool:
        if int(tag) in _PIXEL_TAGS:
            found.append((int(tag), length))
        return bool(found)

    file.seek(start)
    elements = {
        element.tag: element
        for element in data_element_generator(
            file,
            encoding.is_implicit_vr,
            encoding.is_little_endian,
            stop_when=stop,
            defer_size=DEFERRED_BYTES,
        )
    }
    spans = _leave(file, elements)
    header = Dataset(elements)
    header.set_original_encoding(
        encoding.is_implicit_vr, encoding.is_little_endian, _character_sets(elements)
    )
    if not found:
        return KeptObject(syntax, header, spans)
    tag, length = found[0]
    # pydicom goes back to the element's first byte before it stops.
    value = file.tell() + (8 if encoding.is_implicit_vr else 12)
    return KeptObject(syntax, header, spans, tag, value, None if length == _UNDEFINED else length)


def _leave(file: BinaryIO, elements: dict[BaseTag, _Element]) -> dict[int, Span]:
    """Read what pydicom deferred, but for binary values; return where those lie."""
    spans: dict[int, Span] = {}
    position = file.tell()
    for tag, raw in elements.items():
        if not isinstance(raw, RawDataElement) or raw.value is not None or not raw.length:
            continue
        if _vr_of(raw) in _BINARY:
            spans[int(tag)] = Span(raw.value_tell, raw.length)
            elements[tag] = raw._replace(length=0, value=b"")
        else:
            file.seek(raw.value_tell)
            elements[tag] = raw._replace(value=file.read(raw.length))
    file.seek(position)
    return spans


def _character_sets(elements: dict[BaseTag, _Element]) -> MutableSequence[str]:
    element = elements.get(_CHARACTER_SET)
    if not isinstance(element, RawDataElement):
        return [default_encoding]
    return convert_encodings(convert_raw_data_element(element).value)


def _vr_of(raw: RawDataElement) -> str:
    if raw.VR is not None:
        return raw.VR
    try:
        return dictionary_VR(raw.tag)
    except KeyError:
        return "UN"

"""The bulk values of a kept object, found by the path that its JSON links to."""

import re
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset

from core.errors import RecordNotFound
from dicom_node.devices.attributes import READING_ERRORS, silenced_reader, whole_number_of
from dicom_node.storage.json_model import ENCAPSULATED_DOCUMENT
from dicom_node.storage.kept_object import KeptObject, Span

OCTET_STREAM: Final = "application/octet-stream"
#: The one kind of document that is named as what it is: others could be pages with scripts.
PDF: Final = "application/pdf"
_PATH: Final = re.compile(r"[0-9A-Fa-f]{8}(/[0-9]{1,6}/[0-9A-Fa-f]{8}){0,32}", re.ASCII)


@dataclass(frozen=True)
class BulkValue:
    """A bulk value: a piece of the object where `span` says so, or the bytes at hand."""

    media_type: str
    length: int
    span: Span | None = None
    content: bytes = b""


def is_bulk_path(path: str) -> bool:
    """Whether a path is a tag, or tag/item/tag and so on; items count from 1."""
    return _PATH.fullmatch(path) is not None


def find_bulk_value(kept: KeptObject, path: str) -> BulkValue:
    """Return a bulk value; not those of pixels that are compressed.

    Raises
    ------
    RecordNotFound
        If the object has none there.
    """
    steps = path.split("/")
    tag = int(steps[-1], 16)
    if len(steps) == 1 and tag == kept.pixels_tag and kept.pixels_length is not None:
        span = Span(kept.pixels_start, kept.pixels_length)
        return BulkValue(OCTET_STREAM, span.length, span)
    try:
        with silenced_reader():
            return _find(kept, steps, tag)
    except READING_ERRORS as error:
        raise RecordNotFound("The object has no such bulk value") from error


def find_document(kept: KeptObject) -> BulkValue | None:
    """Return the PDF an object encapsulates, None where it encapsulates none."""
    if ENCAPSULATED_DOCUMENT not in kept.header:
        return None
    value = find_bulk_value(kept, f"{ENCAPSULATED_DOCUMENT:08X}")
    return value if value.media_type == PDF else None


def _find(kept: KeptObject, steps: list[str], tag: int) -> BulkValue:
    dataset = kept.header
    for outer, number in zip(steps[:-1:2], steps[1::2], strict=True):
        dataset = _item(dataset, int(outer, 16), int(number))
    media_type = _media_type(dataset, tag)
    span = kept.spans.get(tag) if len(steps) == 1 else None
    if span is not None:
        return BulkValue(media_type, _unpadded(dataset, tag, span.length), span)
    content = dataset[tag].value
    if not isinstance(content, bytes):
        raise TypeError(tag)
    return BulkValue(media_type, _unpadded(dataset, tag, len(content)), content=content)


def _item(dataset: Dataset, tag: int, number: int) -> Dataset:
    if number < 1:
        # Python would take the last one.
        raise IndexError(number)
    item = dataset[tag].value[number - 1]
    if not isinstance(item, Dataset):
        raise TypeError(tag)
    return item


def _media_type(dataset: Dataset, tag: int) -> str:
    is_pdf = dataset.get("MIMETypeOfEncapsulatedDocument") == PDF
    return PDF if tag == ENCAPSULATED_DOCUMENT and is_pdf else OCTET_STREAM


def _unpadded(dataset: Dataset, tag: int, length: int) -> int:
    stated = whole_number_of(dataset, "EncapsulatedDocumentLength")
    is_padded = tag == ENCAPSULATED_DOCUMENT and stated == length - 1
    return length - 1 if is_padded else length

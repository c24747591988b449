"""The attributes of an N-CREATE or N-SET, read leniently and checked for what we need of them.

Texts are taken as the bytes that came: where pydicom makes values of them it warns, and quotes what
may be a patient's.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Final

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import UID
from pynetdicom.dimse_primitives import N_CREATE
from pynetdicom.dsutils import decode
from pynetdicom.events import Event

from dicom_node.devices.attributes import READING_ERRORS, clean_text, items_of, silenced_reader
from dicom_node.errors import (
    NoticeAttributeMissing,
    NoticeInvalid,
    NoticeTooLarge,
    NoticeValueMissing,
)
from dicom_node.scp.size_limit import DroppedDataSet
from dicom_node.storage.identifiers import is_uid

#: More than any study of an eye clinic needs; parsed, it takes many times as much.
MAXIMUM_BYTES: Final = 1 << 20
#: Instances one notice may name.
MAXIMUM_INSTANCES: Final = 5000
#: Value representations of an element that may hold items; implicit ones name none.
_MAY_BE_SEQUENCE: Final = ("SQ", "UN", None)


def read_attributes(encoded: BytesIO | None, transfer_syntax: UID) -> Dataset:
    """Return the attributes.

    Raises
    ------
    NoticeTooLarge
        If they are longer than `MAXIMUM_BYTES`.
    NoticeInvalid
        If they are no data set.
    """
    if isinstance(encoded, DroppedDataSet):
        raise NoticeTooLarge
    if encoded is None:
        return Dataset()
    if encoded.getbuffer().nbytes > MAXIMUM_BYTES:
        raise NoticeTooLarge
    try:
        with silenced_reader():
            return decode(encoded, transfer_syntax.is_implicit_VR, transfer_syntax.is_little_endian)
    except READING_ERRORS as error:
        raise NoticeInvalid from error


def read_creation(event: Event) -> tuple[str, Dataset]:
    """Return the UID an N-CREATE names, and its attributes.

    Raises
    ------
    NoticeValueMissing
        If it names none; else as `read_attributes`.
    """
    request = event.request
    assert isinstance(request, N_CREATE)  # noqa: S101 - the event's own kind
    if request.AffectedSOPInstanceUID is None:
        raise NoticeValueMissing("Affected SOP Instance UID is missing")
    attributes = read_attributes(request.AttributeList, event.context.transfer_syntax)
    return str(request.AffectedSOPInstanceUID), attributes


def required_uid(dataset: Dataset, keyword: str) -> str:
    """Return a UID that must be there.

    Raises
    ------
    NoticeAttributeMissing, NoticeValueMissing
        If it is absent, or empty.
    NoticeInvalid
        If it is no UID.
    """
    uid = required_text(dataset, keyword)
    if not is_uid(uid):
        raise NoticeInvalid(f"{keyword} is malformed")
    return uid


def required_text(dataset: Dataset, keyword: str) -> str:
    """Return a text that must be there; errors as `required_uid`."""
    if keyword not in dataset:
        raise NoticeAttributeMissing(f"{keyword} is missing")
    text = _raw_text(dataset, keyword)
    if not text:
        raise NoticeValueMissing(f"{keyword} is empty")
    return text


def required_items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence that must have some; errors as `required_uid`."""
    if keyword not in dataset:
        raise NoticeAttributeMissing(f"{keyword} is missing")
    items = optional_items(dataset, keyword)
    if not items:
        raise NoticeValueMissing(f"{keyword} is empty")
    return items


def optional_items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; none where it is absent, or no sequence."""
    element = dataset.get_item(Tag(keyword), keep_deferred=True)
    if isinstance(element, RawDataElement) and element.VR not in _MAY_BE_SEQUENCE:
        return ()
    with silenced_reader():
        return items_of(dataset, keyword)


def instances_of(items: tuple[Dataset, ...], *keywords: str) -> tuple[str, ...]:
    """Return the instances that sequences within these items refer to, each once.

    Raises
    ------
    NoticeTooLarge
        If they are more than `MAXIMUM_INSTANCES`.
    """
    found = dict.fromkeys(_references(items, keywords))
    if len(found) > MAXIMUM_INSTANCES:
        raise NoticeTooLarge
    return tuple(found)


def _raw_text(dataset: Dataset, keyword: str) -> str:
    element = dataset.get_item(Tag(keyword), keep_deferred=True)
    value = element.value if element is not None else None
    if isinstance(value, bytes):
        return clean_text(value)
    return clean_text(value) if isinstance(value, str) else ""


def _references(items: tuple[Dataset, ...], keywords: tuple[str, ...]) -> Iterator[str]:
    for item in items:
        for keyword in keywords:
            for reference in optional_items(item, keyword):
                yield required_uid(reference, "ReferencedSOPInstanceUID")

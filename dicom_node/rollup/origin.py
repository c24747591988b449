"""Where an object comes from and when it was taken, from the first bytes of its file.

Everything wanted stands in group 0008, which comes first: nothing further is read. What is missing
or unreadable is left open; this is about devices, and never a reason to stop.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydicom.datadict import tag_for_keyword

from core.errors import RecordNotFound
from dicom_node.devices.examination_time import read_moment
from dicom_node.errors import FileInvalid, InvalidInstance, ObjectUnreadable
from dicom_node.storage.bytes import Storage
from dicom_node.storage.elements import Walk
from dicom_node.storage.encoding import encoding_of
from dicom_node.storage.file_meta import read_file_meta
from dicom_node.storage.text import decode_text

_HEAD_BYTES: Final = 64 * 1024
_OFFSET: Final = "TimezoneOffsetFromUTC"
_CHARACTER_SET: Final = "SpecificCharacterSet"
#: When something was done to the object before it was sent: the last of them is the best witness.
_MOMENTS: Final = (
    ("AcquisitionDateTime",),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("InstanceCreationDate", "InstanceCreationTime"),
)
_TAGS: Final[Mapping[str, int]] = {
    keyword: tag_for_keyword(keyword) or 0
    for keyword in (
        *(keyword for parts in _MOMENTS for keyword in parts),
        *("StationName", "InstitutionName", _OFFSET, _CHARACTER_SET),
    )
}


@dataclass(frozen=True)
class Origin:
    """What the object says.

    Attributes
    ----------
    taken_at
        When it was taken or made, time-zone aware; None where it does not say.
    names_zone
        Whether it names its time zone; without one it is taken to be ours.
    """

    station_name: str = ""
    institution_name: str = ""
    taken_at: datetime | None = None
    names_zone: bool = False


def read_origin(storage: Storage, storage_key: str) -> Origin:
    """Return where a kept object comes from, as far as it can be read.

    Raises
    ------
    StorageAway
        If the storage does not answer.
    """
    try:
        with storage.open(storage_key) as file:
            head = file.read(_HEAD_BYTES)
        return _read(head)
    except (RecordNotFound, ObjectUnreadable, FileInvalid, InvalidInstance):
        return Origin()


def _read(head: bytes) -> Origin:
    meta = read_file_meta(head)
    if meta is None or (encoding := encoding_of(meta.transfer_syntax_uid)).is_deflated:
        return Origin()
    walk = Walk(head, encoding, frozenset(_TAGS.values()), meta.length_bytes)
    # The head is cut off somewhere, after what is wanted.
    with suppress(InvalidInstance):
        walk.run()
    sets = [name.strip() for name in _plain(walk, _CHARACTER_SET).split("\\")]
    offset = _plain(walk, _OFFSET)
    texts = ["".join(_plain(walk, keyword) for keyword in parts) for parts in _MOMENTS]
    moments = [moment for text in texts if (moment := read_moment(text, offset)) is not None]
    return Origin(
        station_name=decode_text(_value(walk, "StationName"), sets),
        institution_name=decode_text(_value(walk, "InstitutionName"), sets),
        # A moment without a zone is taken to be of the node's own.
        taken_at=max((moment.astimezone() for moment in moments), default=None),
        names_zone=any(moment.tzinfo is not None for moment in moments),
    )


def _value(walk: Walk, keyword: str) -> bytes:
    return walk.values.get(_TAGS[keyword], b"")


def _plain(walk: Walk, keyword: str) -> str:
    return _value(walk, keyword).decode("latin-1").strip("\0 ")

"""The file around a data set (PS3.10): our own file meta information, then the bytes received."""

import struct
from dataclasses import dataclass
from typing import Final

from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_node.storage.identifiers import is_uid

#: 128 bytes for nobody, and the prefix (PS3.10 7.1).
_PREFIX: Final = b"\0" * 128 + b"DICM"


@dataclass(frozen=True, kw_only=True)
class Announced:
    """What is said of an instance before its data set comes.

    Attributes
    ----------
    sop_class_uid, sop_instance_uid
        As in the command, or in the file meta information.
    calling_ae_title
        Who sends it; empty where it comes another way.
    """

    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    calling_ae_title: str = ""


@dataclass(frozen=True, kw_only=True)
class EncodedInstance(Announced):
    """An instance as it came through a door, nothing decoded.

    Attributes
    ----------
    data_set
        Encoded data set as received, without file meta information.
    """

    data_set: bytes


def file_preamble(announced: Announced) -> bytes:
    """Return preamble, prefix and file meta information; the data set's bytes follow unchanged.

    A malformed UID, as objects in quarantine have them, is left out.
    """
    uids = (
        (0x0002, announced.sop_class_uid),
        (0x0003, announced.sop_instance_uid),
        (0x0010, announced.transfer_syntax_uid),
        (0x0012, IMPLEMENTATION_CLASS_UID),
    )
    elements = [_long_element(0x0001, b"OB", b"\x00\x01")]
    elements += [_element(tag, b"UI", _padded(uid, b"\0")) for tag, uid in uids if is_uid(uid)]
    elements.append(_element(0x0013, b"SH", _padded(IMPLEMENTATION_VERSION_NAME, b" ")))
    group = b"".join(elements)
    return _PREFIX + _element(0x0000, b"UL", struct.pack("<I", len(group))) + group


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    # Written here: pydicom's writer takes longer for these few than all our reading of an object.
    return struct.pack("<HH2sH", 0x0002, element, vr, len(value)) + value


def _long_element(element: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sHI", 0x0002, element, vr, 0, len(value)) + value


def _padded(text: str, padding: bytes) -> bytes:
    value = text.encode("ascii")
    return value + padding * (len(value) % 2)

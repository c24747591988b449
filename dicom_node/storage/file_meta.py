"""The head of a DICOM file (PS3.10 7.1), read from its first bytes while the rest still arrives."""

import struct
from dataclasses import dataclass, field
from typing import Final

from dicom_node.errors import FileInvalid

#: More than any writer puts before a data set; (0002,0102) may hold private information.
MAXIMUM_HEAD_BYTES: Final = 64 * 1024

_PREAMBLE_BYTES: Final = 128
_PREFIX: Final = b"DICM"
_GROUP: Final = 0x0002
_GROUP_LENGTH: Final = 0x0000
_SOP_CLASS_UID: Final = 0x0002
_SOP_INSTANCE_UID: Final = 0x0003
_TRANSFER_SYNTAX_UID: Final = 0x0010
#: Value representations with a four-byte length; all others of this group have two.
_LONG_LENGTH: Final = frozenset({b"OB", b"OW", b"UC", b"UN", b"UR", b"UT"})


@dataclass(frozen=True)
class FileMeta:
    """What the file meta information says; a missing UID is empty.

    Attributes
    ----------
    length_bytes
        Preamble, prefix and file meta information together: where the data set begins.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    length_bytes: int


class _Incomplete(Exception):
    """The element reaches beyond the bytes at hand."""


def read_file_meta(head: bytes) -> FileMeta | None:
    """Return the file meta information, None where more bytes are needed to see its end.

    Parameters
    ----------
    head
        The file from its beginning on, as much as there is.

    Raises
    ------
    FileInvalid
        If this is no DICOM file, or longer than any head may be.
    """
    begin = _PREAMBLE_BYTES + len(_PREFIX)
    if head[_PREAMBLE_BYTES:begin] != _PREFIX[: max(0, len(head) - _PREAMBLE_BYTES)]:
        raise FileInvalid
    try:
        return _Reading(head, begin).run()
    except _Incomplete:
        if len(head) > MAXIMUM_HEAD_BYTES:
            raise FileInvalid("The file meta information is too long") from None
        return None


@dataclass
class _Reading:
    """One pass over the elements of group 0002: always explicit VR, little endian."""

    head: bytes
    position: int
    values: dict[int, bytes] = field(default_factory=dict)
    end: int | None = None

    def run(self) -> FileMeta:
        # The stated end counts, because a deflated data set may begin like an element of this
        # group; where none is stated, or a wrong one, the next group is the end.
        while self.position != self.end and self._unpack("H", 0) == _GROUP:
            self._step()
        return FileMeta(
            sop_class_uid=self._uid(_SOP_CLASS_UID),
            sop_instance_uid=self._uid(_SOP_INSTANCE_UID),
            transfer_syntax_uid=self._uid(_TRANSFER_SYNTAX_UID),
            length_bytes=self.position,
        )

    def _step(self) -> None:
        element = self._unpack("H", 2)
        vr = self._take(4, 2)
        if not (vr.isalpha() and vr.isupper()):
            raise FileInvalid
        is_long = vr in _LONG_LENGTH
        length = self._unpack("I", 8) if is_long else self._unpack("H", 6)
        header = 12 if is_long else 8
        if length > MAXIMUM_HEAD_BYTES:
            raise FileInvalid("The file meta information is too long")
        value = self._take(header, length)
        self.position += header + length
        if element == _GROUP_LENGTH and length == 4:
            self.end = self.position + int.from_bytes(value, "little")
        self.values[element] = value

    def _unpack(self, form: str, offset: int) -> int:
        (number,) = struct.unpack("<" + form, self._take(offset, struct.calcsize(form)))
        return int(number)

    def _take(self, offset: int, length: int) -> bytes:
        begin = self.position + offset
        if begin + length > len(self.head):
            raise _Incomplete
        return self.head[begin : begin + length]

    def _uid(self, element: int) -> str:
        return self.values.get(element, b"").decode("latin-1").rstrip("\0 ")

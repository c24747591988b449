"""Whether a file on a disk that someone else writes to is a whole DICOM file yet.

The file is read by its handle, never mapped: one that is cut short meanwhile, or a share that goes
away, would end the process.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, Final

from pydicom.datadict import tag_for_keyword

from dicom_node.errors import FileInvalid, InvalidInstance
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES, RAW_DATA
from dicom_node.storage.elements import Walk
from dicom_node.storage.encoding import encoding_of, inflate
from dicom_node.storage.file_meta import MAXIMUM_HEAD_BYTES, FileMeta, read_file_meta

_ROWS: Final = tag_for_keyword("Rows") or 0
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
#: Measurements and documents; the others of the accept list are images (PS3.6 A-1).
_WITHOUT_PIXELS: Final = ("78.", "79.", "80.", "88.", "104.")
#: Elements before the pixels stand close together.
_WINDOW_BYTES: Final = 1 << 16


def check_whole(file: BinaryIO, maximum_bytes: int) -> FileMeta:
    """Look whether every length in an open file is kept; return its file meta information.

    Parameters
    ----------
    maximum_bytes
        What a deflated data set may inflate to.

    Raises
    ------
    FileInvalid
        If it is no DICOM file, or not one yet.
    InvalidInstance
        If it ends too early, or what stands there is no data set.
    ObjectTooLarge
        If it inflates beyond `maximum_bytes`.
    OSError
        If it cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    # One more, so that what is longer than any head may be is refused as such.
    meta = read_file_meta(os.pread(file.fileno(), MAXIMUM_HEAD_BYTES + 1, 0))
    if meta is None:
        raise FileInvalid("The file ends in its file meta information")
    encoding = encoding_of(meta.transfer_syntax_uid)
    if encoding.is_deflated:
        length = min(size - meta.length_bytes, maximum_bytes)
        deflated = os.pread(file.fileno(), length, meta.length_bytes)
        walk = _WholeWalk(inflate(deflated, maximum_bytes), encoding, {_ROWS})
    else:
        data = _FileBytes(file.fileno(), size)
        walk = _WholeWalk(data, encoding, {_ROWS}, meta.length_bytes)  # type: ignore[arg-type]
    values = walk.run()
    # A writer may pause between what it says of an image and the image.
    if not walk.has_pixels and (_ROWS in values or _is_image(meta.sop_class_uid)):
        raise InvalidInstance("The file ends before its pixels")
    return meta


@dataclass
class _WholeWalk(Walk):
    """Goes on behind the pixels, to the end of the file."""

    has_pixels: bool = False

    def _is_plain(self, level: object) -> bool:
        # The short way over plain elements needs them in memory; these are read from a file.
        return False

    def _step(self, position: int) -> int:
        following = super()._step(position)
        if following >= 0:
            return following
        self.has_pixels = True
        return self._step_element(0, position, "<" if self.encoding.is_little_endian else ">")


def _is_image(sop_class_uid: str) -> bool:
    name = sop_class_uid.removeprefix(_STORAGE)
    return sop_class_uid in ACCEPTED_SOP_CLASSES and not (
        name.startswith(_WITHOUT_PIXELS) or sop_class_uid == RAW_DATA
    )


class _FileBytes:
    """The bytes of a file, read where they are looked at, as far as a walk needs them."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        self._start = 0
        self._window = b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self._size)
        if end - start > _WINDOW_BYTES:
            return os.pread(self._descriptor, end - start, start)
        if start < self._start or end > self._start + len(self._window):
            self._start, self._window = start, os.pread(self._descriptor, _WINDOW_BYTES, start)
        return self._window[start - self._start : end - self._start]

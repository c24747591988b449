"""What a receiver kept: the digest of each data set in its files."""

import os
import struct
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info

#: The value of File Meta Information Group Length; what it counts follows (PS3.10 7.1).
_GROUP_LENGTH_PLACE: Final = 128 + 4 + 8
_CHUNK_BYTES: Final = 1 << 20


def data_set_digest(file: BinaryIO) -> str:
    """Return the SHA-256 of what stands behind the file meta information, hex."""
    file.seek(_GROUP_LENGTH_PLACE)
    (meta_bytes,) = struct.unpack("<I", file.read(4))
    file.seek(meta_bytes, os.SEEK_CUR)
    digest = sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def digests_of_files(paths: Iterable[Path]) -> Mapping[str, str]:
    """Return the digest of each file's data set by its SOP Instance UID.

    What was kept twice, or is no DICOM file, stands under its path, so that it is not overlooked.
    """
    digests: dict[str, str] = {}
    for path in paths:
        uid, digest = _digest_of_file(path)
        digests[str(path) if uid in digests else uid] = digest
    return digests


def _digest_of_file(path: Path) -> tuple[str, str]:
    try:
        uid = str(read_file_meta_info(path).MediaStorageSOPInstanceUID)
    except (InvalidDicomError, EOFError, AttributeError):
        return str(path), "unreadable"
    with path.open("rb") as file:
        return uid, data_set_digest(file)

"""Telling the DICOM files of a folder from what else lies in it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

#: PS3.10 7.1: a preamble of 128 bytes, then the prefix.
_PREAMBLE_BYTES: Final = 128
_PREFIX: Final = b"DICM"
#: These say they are DICOM by their name; when they are not, that must be seen.
_SUFFIXES: Final = frozenset({".dcm", ".dicom"})


def is_dicom_file(path: Path) -> bool:
    """Whether a file is or claims to be DICOM; one that cannot be opened may be, so it counts."""
    if path.suffix.lower() in _SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE_BYTES + len(_PREFIX))[_PREAMBLE_BYTES:] == _PREFIX
    except OSError:
        return True


def find_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, and the DICOM files of the folders named, each once, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found |= dict.fromkeys(
            file for file in inside if file.is_file() and (file == path or is_dicom_file(file))
        )
    return list(found)

"""The DICOM files below some paths: single files, folders and media with a DICOMDIR."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

from dicom_node.calling_errors import PathUnreadable

_MEDIA_DIRECTORY: Final = "DICOMDIR"


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Return every file below the paths, each folder in the order of names.

    A DICOMDIR stands for the files it refers to; within a folder it is left out, because they are
    in that folder anyway.

    Raises
    ------
    PathUnreadable
        If a path does not exist, or is a DICOMDIR that cannot be read.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file())
            yield from (file for file in inside if not is_media_directory(file))
        elif is_media_directory(path) and path.is_file():
            yield from _read_media_directory(path)
        elif path.is_file():
            yield path
        else:
            raise PathUnreadable(f"{path} does not exist")


def is_media_directory(path: Path) -> bool:
    """Whether a file is, by its name, the directory of a medium (PS3.10 8.6)."""
    return _plain(path.name) == _MEDIA_DIRECTORY


def _read_media_directory(path: Path) -> Iterator[Path]:
    try:
        records = dcmread(path).get("DirectoryRecordSequence", [])
        references = [record.ReferencedFileID for record in records if "ReferencedFileID" in record]
    except (InvalidDicomError, EOFError, ValueError) as error:
        raise PathUnreadable(f"{path} is no readable DICOMDIR") from error
    folder = path.parent.resolve()
    for reference in references:
        components = reference if isinstance(reference, MultiValue) else [reference]
        file = _resolve(folder, [str(component) for component in components]).resolve()
        # A medium must not make us send what lies beside it on this computer.
        if not file.is_relative_to(folder):
            raise PathUnreadable(f"{path} refers to a file outside its medium")
        yield file


def _resolve(folder: Path, components: Sequence[str]) -> Path:
    """Return the file that is meant; a CD may show its names in lower case, or with a version."""
    path = folder
    for component in components:
        exact = path / component
        others = [] if exact.exists() or not path.is_dir() else sorted(path.iterdir())
        alike = (other for other in others if _plain(other.name) == _plain(component))
        path = next(alike, exact)
    return path


def _plain(name: str) -> str:
    # ISO 9660 writes `IMAGE1.;1` for the file that a DICOMDIR calls IMAGE1.
    return name.upper().partition(";")[0].rstrip(".")

"""The DICOM files below some paths: single files, folders and media with a DICOMDIR."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.multival import MultiValue

from dicom_node.errors import PathUnreadable

_MEDIA_DIRECTORY: Final = "DICOMDIR"


@dataclass(frozen=True)
class FileToSend:
    """A file whose file meta information says how to send it."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


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
            yield from (file for file in inside if file.name.upper() != _MEDIA_DIRECTORY)
        elif path.name.upper() == _MEDIA_DIRECTORY and path.is_file():
            yield from _read_media_directory(path)
        elif path.is_file():
            yield path
        else:
            raise PathUnreadable(f"{path} does not exist")


def read_file_to_send(path: Path) -> FileToSend:
    """Return what must be known of a file to send it.

    Raises
    ------
    PathUnreadable
        If it is no DICOM file, or its file meta information is incomplete.
    """
    try:
        meta = read_file_meta_info(path)
    except (InvalidDicomError, EOFError):
        raise PathUnreadable("not a DICOM file") from None
    except OSError as error:
        raise PathUnreadable(f"cannot be read: {error.strerror}") from error
    uids = [
        str(meta.get(keyword, ""))
        for keyword in (
            "MediaStorageSOPClassUID",
            "MediaStorageSOPInstanceUID",
            "TransferSyntaxUID",
        )
    ]
    if not all(uids):
        raise PathUnreadable("its file meta information lacks SOP class, instance or encoding")
    return FileToSend(path, *uids)


def _read_media_directory(path: Path) -> Iterator[Path]:
    try:
        records = dcmread(path).get("DirectoryRecordSequence", [])
        references = [record.ReferencedFileID for record in records if "ReferencedFileID" in record]
    except (InvalidDicomError, EOFError, ValueError) as error:
        raise PathUnreadable(f"{path} is no readable DICOMDIR") from error
    folder = path.parent.resolve()
    for reference in references:
        components = reference if isinstance(reference, MultiValue) else [reference]
        file = folder.joinpath(*map(str, components)).resolve()
        # A medium must not make us send what lies beside it on this computer.
        if not file.is_relative_to(folder):
            raise PathUnreadable(f"{path} refers to a file outside its medium")
        yield file

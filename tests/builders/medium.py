"""The directory of a medium (PS3.10 8.6)."""

from pathlib import Path

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage


def write_media_directory(folder: Path, references: list[list[str]]) -> Path:
    """Write a DICOMDIR that refers to files by their components; return its path."""
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    records = []
    for reference in references:
        record = Dataset()
        record.ReferencedFileID = reference
        records.append(record)
    directory.DirectoryRecordSequence = Sequence(records)
    path = folder / "DICOMDIR"
    directory.save_as(path, enforce_file_format=True)
    return path

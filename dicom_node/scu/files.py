"""What must be known of a file to send it."""

from dataclasses import dataclass
from pathlib import Path

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info

from dicom_node.calling_errors import PathUnreadable


@dataclass(frozen=True)
class FileToSend:
    """A file whose file meta information says how to send it."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


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

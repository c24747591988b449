"""The file around a data set (PS3.10): our own file meta information, then the bytes received."""

from dataclasses import dataclass

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_node.storage.identifiers import is_uid


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
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # written as what it is
    meta.FileMetaInformationVersion = b"\x00\x01"
    for keyword, value in (
        ("MediaStorageSOPClassUID", announced.sop_class_uid),
        ("MediaStorageSOPInstanceUID", announced.sop_instance_uid),
        ("TransferSyntaxUID", announced.transfer_syntax_uid),
    ):
        if is_uid(value):
            setattr(meta, keyword, UID(value))
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    file = DicomBytesIO()
    file.write(b"\x00" * 128 + b"DICM")
    write_file_meta_info(file, meta, enforce_standard=False)
    return file.getvalue()

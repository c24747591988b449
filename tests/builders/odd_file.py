"""What a device would send of a file that is odd or broken: its data set, byte for byte."""

from pathlib import Path

from pydicom.uid import ImplicitVRLittleEndian

from dicom_node.errors import FileInvalid
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.file_meta import FileMeta, read_file_meta
from dicom_node.storage.part10 import EncodedInstance

#: Where the file does not say it.
_NAMELESS = FileMeta(OPHTHALMIC_TOMOGRAPHY, "1.2.3.4", ImplicitVRLittleEndian, 0)


def odd_instance(path: Path, sop_class_uid: str = "") -> EncodedInstance:
    """Return the content of a file; another class is announced where one is given."""
    content = path.read_bytes()
    meta = _read(content)
    return EncodedInstance(
        data_set=content[meta.length_bytes :],
        transfer_syntax_uid=meta.transfer_syntax_uid or str(ImplicitVRLittleEndian),
        sop_class_uid=sop_class_uid or meta.sop_class_uid or OPHTHALMIC_TOMOGRAPHY,
        sop_instance_uid=meta.sop_instance_uid,
    )


def _read(content: bytes) -> FileMeta:
    try:
        return read_file_meta(content) or _NAMELESS
    except FileInvalid:
        return _NAMELESS

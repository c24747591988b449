"""Small encoded instances for tests of receiving: four pixels, any attribute by keyword.

encode_instance()                               an Ophthalmic Tomography instance
encode_instance(PatientID="P2")                 any DICOM keyword; None leaves it out
encode_instance(announced_instance_uid="1.2")   the command names another object
"""

from io import BytesIO
from typing import Any

from pydicom import Dataset, dcmwrite
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.part10 import EncodedInstance, file_preamble


def build_instance(**keywords: Any) -> Dataset:
    """Return the data set; overrides by DICOM keyword, None leaves one out."""
    dataset = Dataset()
    values = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": OPHTHALMIC_TOMOGRAPHY,
        "SOPInstanceUID": "1.2.3.1.1.1",
        "StudyInstanceUID": "1.2.3.1",
        "SeriesInstanceUID": "1.2.3.1.1",
        "PatientID": "P1",
        "PatientName": "Müller^Anna",
        "PatientBirthDate": "19580301",
        "PatientSex": "F",
        "StudyDate": "20240320",
        "StudyTime": "103000",
        "AccessionNumber": "A1",
        "StudyID": "S1",
        "Modality": "OPT",
        "SeriesNumber": 1,
        "InstanceNumber": 7,
        "Manufacturer": "Maker",
        "Rows": 2,
        "Columns": 2,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelData": b"\x00\x40\x80\xff",
        **keywords,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def encode_dataset(dataset: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """Return the encoded data set, without file meta information."""
    syntax = UID(transfer_syntax_uid)
    buffer = BytesIO()
    dcmwrite(
        buffer, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian
    )
    if syntax != DeflatedExplicitVRLittleEndian:
        return buffer.getvalue()
    return _deflate(buffer.getvalue())


def encode_instance(
    transfer_syntax_uid: str = ExplicitVRLittleEndian,
    announced_class_uid: str | None = None,
    announced_instance_uid: str | None = None,
    calling_ae_title: str = "DEVICE1",
    **keywords: Any,
) -> EncodedInstance:
    """Return an instance as it comes through a door."""
    dataset = build_instance(**keywords)
    return EncodedInstance(
        data_set=encode_dataset(dataset, transfer_syntax_uid),
        transfer_syntax_uid=str(transfer_syntax_uid),
        sop_class_uid=announced_class_uid or str(dataset.get("SOPClassUID", "")),
        sop_instance_uid=announced_instance_uid or str(dataset.get("SOPInstanceUID", "")),
        calling_ae_title=calling_ae_title,
    )


def as_file(encoded: EncodedInstance) -> bytes:
    """Return the instance as a DICOM file."""
    return file_preamble(encoded) + encoded.data_set


def _deflate(data_set: bytes) -> bytes:
    import zlib

    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data_set) + deflater.flush()

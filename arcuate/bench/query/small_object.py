"""One small object with every attribute the population has: what Orthanc's rows are copied from."""

from io import BytesIO

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage


def small_object() -> bytes:
    """Return a DICOM file of a few hundred bytes."""
    dataset = Dataset()
    values = {
        "SOPClassUID": OphthalmicPhotography8BitImageStorage,
        "SOPInstanceUID": "2.25.7015.1.1.1",
        "StudyInstanceUID": "2.25.7015.1",
        "SeriesInstanceUID": "2.25.7015.1.1",
        "PatientID": "TEMPLATE",
        "PatientName": "Template^Only",
        "PatientBirthDate": "19000101",
        "PatientSex": "F",
        "StudyDate": "19000101",
        "StudyTime": "100000",
        "AccessionNumber": "TEMPLATE",
        "StudyID": "TEMPLATE",
        "StudyDescription": "Template",
        "ReferringPhysicianName": "Weiss^Eva",
        "Modality": "OP",
        "SeriesNumber": "1",
        "SeriesDescription": "Template",
        "Manufacturer": "Maker",
        "InstanceNumber": "1",
        "NumberOfFrames": "1",
    }
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()

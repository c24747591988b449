"""Objects full of a person, for tests of taking the person out.

identified_file()                       a small object with file meta information, read back
identified_file(StudyComments="…")      any DICOM keyword
assert_names_nobody(dataset)            nothing of the person is in its bytes
"""

from datetime import date
from io import BytesIO
from typing import Any, Final

from pydicom import Dataset, FileDataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from core.pseudonyms import Pseudonyms
from core.values.identity import PatientIdentity
from dicom_node.deidentification.deidentifying import Deidentifier
from dicom_node.deidentification.options import Option
from tests.builders.encoded_instance import build_instance

PERSON: Final = PatientIdentity("MRN-7719", "Hospital-X", "Okonkwo^Adaeze", date(1934, 7, 9), "F")
NAMES: Final = Pseudonyms(bytes(range(32)), "test")
#: What must be in no byte of what is given out.
TELLTALES: Final = (
    *("Okonkwo", "Adaeze", "MRN-7719", "Hospital-X", "19340709", "1934-07-09", "ACC-5521"),
    *("20240320", "1.2.840.99999.7", "Drsmith", "SN-31337"),
)


def identified(**keywords: Any) -> Dataset:
    """Return an object of PERSON, as a device writes it."""
    values = {
        "PatientID": PERSON.patient_id,
        "IssuerOfPatientID": PERSON.issuer,
        "PatientName": PERSON.name,
        "PatientBirthDate": "19340709",
        "PatientSex": "F",
        "PatientAge": "093Y",
        "AccessionNumber": "ACC-5521",
        "StudyDate": "20240320",
        "AcquisitionDateTime": "20240320101500.5",
        "ReferringPhysicianName": "Drsmith^Jo",
        "DeviceSerialNumber": "SN-31337",
        "StudyInstanceUID": "1.2.840.99999.7.1",
        "SeriesInstanceUID": "1.2.840.99999.7.2",
        "SOPInstanceUID": "1.2.840.99999.7.3",
        "BurnedInAnnotation": "NO",
        **keywords,
    }
    return build_instance(**values)


def as_file(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> FileDataset:
    """Return a data set as it is read from a file, whose meta information names the sender."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.SourceApplicationEntityTitle = "Drsmith"
    file = FileDataset("", dataset, preamble=b"Okonkwo".ljust(128), file_meta=meta)
    buffer = BytesIO()
    dcmwrite(buffer, file, enforce_file_format=True)
    buffer.seek(0)
    return dcmread(buffer)


def deidentified(dataset: Dataset, *options: Option, syntax: str = ExplicitVRLittleEndian) -> Any:
    """Return an object of PERSON after its way through, read from its bytes."""
    file = as_file(dataset, syntax)
    Deidentifier(NAMES, frozenset(options)).deidentify(file, PERSON)
    return dcmread(BytesIO(bytes_of(file)))


def bytes_of(dataset: Dataset) -> bytes:
    """Return the whole file."""
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def assert_names_nobody(dataset: Dataset, *kept: str) -> None:
    """Nothing of PERSON is in the bytes, but what an option keeps."""
    # The file as it is, and its data set again where that was deflated.
    content = (bytes_of(dataset) + dataset.to_json().encode()).lower()
    wanted = set(TELLTALES) - set(kept)
    assert {text for text in wanted if text.lower().encode() in content} == set()

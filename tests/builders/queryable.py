"""A small archive to ask: three patients, four studies, and what hangs below them.

archive = fill(open_test_archive(settings, database))
"""

from typing import Any

from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import ingest
from tests.builders.encoded_instance import encode_instance

OPT = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"

#: Study UID, patient, name, born, day, time, accession number, description.
STUDIES = (
    ("1.2.10", "P1", "Müller^Anna", "19580301", "20240320", "103000", "A1", "OCT disc"),
    ("1.2.11", "P1", "Müller^Anna", "19580301", "20250115", "0915", "A2", "OCT follow-up"),
    ("1.2.20", "P2", "DOE^John^^Dr", "19700704", "20240320", "140000.5", "B1", "Macula 100%"),
    (
        "1.2.30",
        "P_3",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "19801231",
        "20231231",
        "",
        "B_1",
        "",
    ),
)


def fill(archive: Archive) -> Archive:
    """Keep two series of two scans of each study, and in the first a report and a picture."""
    for study, *_ in STUDIES:
        for series in (1, 2):
            for number in (1, 2):
                keep(archive, study, series, number)
    keep(
        archive,
        "1.2.10",
        8,
        1,
        SOPClassUID=SECONDARY_CAPTURE,
        Modality="OT",
        NumberOfFrames=3,
        Manufacturer="Carl Zeiss Meditec",
    )
    keep(archive, "1.2.10", 9, 1, SOPClassUID=COMPREHENSIVE_3D_SR, Modality="SR", **report())
    return archive


def keep(archive: Archive, study: str, series: int, number: int, **keywords: Any) -> int:
    """Keep one instance of a study; return its primary key."""
    [(_, patient, name, born, day, time, accession, description)] = [
        one for one in STUDIES if one[0] == study
    ]
    attributes = {
        "PatientID": patient,
        "PatientName": name,
        "PatientBirthDate": born,
        "StudyInstanceUID": study,
        "StudyDate": day,
        "StudyTime": time,
        "StudyDescription": description,
        "AccessionNumber": accession,
        "StudyID": f"S{study[-2:]}",
        "ReferringPhysicianName": "Weiß^Eva",
        "SeriesInstanceUID": f"{study}.{series}",
        "SeriesNumber": series,
        "SeriesDescription": f"Series {series}",
        "SeriesDate": day,
        "SeriesTime": "110000",
        "SOPInstanceUID": f"{study}.{series}.{number}",
        "InstanceNumber": number,
        "NumberOfFrames": 1,
        **keywords,
    }
    return ingest(archive, encode_instance(**attributes)).instance_key


def report() -> dict[str, Any]:
    """Return what makes an instance a document: its title and its flags."""
    from pydicom import Dataset

    title, request = Dataset(), Dataset()
    title.CodeValue, title.CodingSchemeDesignator = "126000", "DCM"
    title.CodeMeaning = "Imaging Measurement Report"
    request.ScheduledProcedureStepID, request.RequestedProcedureID = "STEP1", "PROC1"
    return {
        "ConceptNameCodeSequence": [title],
        "RequestAttributesSequence": [request],
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "ContentDate": "20240321",
        "ContentTime": "080000",
        "PixelData": None,
    }

"""The headers of scans under the patient they are of today.

The bytes of a scan stay as they came. Where its study was given to another patient, its header in
memory is written over before a report is made from it: none may name one person in its attributes
and another on its page.
"""

from typing import Final

from pydicom import Dataset
from sqlmodel import Session, col, select

from core.tables.patients import PatientRow
from core.tables.studies import StudyRow

#: They belong to the Patient ID that was there.
_OF_THE_FORMER: Final = (
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "OtherPatientIDs",
    "OtherPatientIDsSequence",
)


def correct_identity(session: Session, header: Dataset) -> Dataset:
    """Write today's patient over a header whose study was given to them; return it."""
    statement = (
        select(StudyRow, PatientRow)
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
        .where(col(StudyRow.study_instance_uid) == str(header.get("StudyInstanceUID", "")))
    )
    found = session.exec(statement).first()
    if found is None or found[0].named_patient_key is None:
        return header
    patient = found[1]
    named = (str(header.get("PatientID", "")), str(header.get("IssuerOfPatientID") or ""))
    if named == (patient.patient_id, patient.issuer):
        # Sent again with the right identity: it says more than the row.
        return header
    write_identity(header, patient)
    return header


def write_identity(header: Dataset, patient: PatientRow) -> None:
    """Write a patient over a data set, whoever it named."""
    for keyword in _OF_THE_FORMER:
        if keyword in header:
            del header[keyword]
    born = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    if str(header.get("PatientBirthDate") or "") != born and "PatientAge" in header:
        del header["PatientAge"]
    # Whatever the scan was written in, it is read before it is called Unicode.
    header.decode()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientID, header.PatientName = patient.patient_id, patient.name
    header.PatientBirthDate, header.PatientSex = born, patient.sex or ""
    if patient.issuer:
        header.IssuerOfPatientID = patient.issuer

"""The headers of scans under the patient they are of today.

The bytes of a scan stay as they came. Where its study was given to another patient, or what it says
of the patient was corrected since, its header in memory is written over before a report is made
from it: none may name one person in its attributes and another on its page.
"""

from typing import Final

from pydicom import Dataset
from sqlmodel import Session, col, select

from core.identities.corrected_values import is_corrected
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow

#: They belong to the Patient ID that was there.
_OF_THE_FORMER: Final = (
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "OtherPatientIDs",
    "OtherPatientIDsSequence",
)
_DATE_LENGTH: Final = len("19580301")


def correct_identity(session: Session, header: Dataset) -> Dataset:
    """Write today's patient over a header that says what was corrected; return it."""
    statement = (
        select(StudyRow, PatientRow)
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
        .where(col(StudyRow.study_instance_uid) == str(header.get("StudyInstanceUID", "")))
    )
    found = session.exec(statement).first()
    if found is None:
        return header
    study, patient = found
    named = (str(header.get("PatientID", "")), str(header.get("IssuerOfPatientID") or ""))
    is_given = study.named_patient_key is not None and named != (patient.patient_id, patient.issuer)
    # One that was sent again with the right identity says more than the row.
    if is_given or says_what_was_corrected(session, patient, header):
        write_identity(header, patient)
    return header


def says_what_was_corrected(session: Session, patient: PatientRow, dataset: Dataset) -> bool:
    """Whether name, birth date or sex in a data set of this patient were corrected since."""
    born = str(dataset.get("PatientBirthDate") or "").replace(".", "")
    is_date = len(born) == _DATE_LENGTH and born.isdecimal()
    said = {
        "name": str(dataset.get("PatientName") or ""),
        "birth_date": f"{born[:4]}-{born[4:6]}-{born[6:]}" if is_date else None,
        "sex": str(dataset.get("PatientSex") or "") or None,
    }
    return is_corrected(session, patient, said)


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

"""Whom a study is given to."""

from sqlmodel import Session

from core.patients import find_patient, patients_named
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow

_COPIED = ("name", "name_alphabetic", "name_ideographic", "name_phonetic", "birth_date", "sex")


def target_patient(
    session: Session, study: StudyRow, patient_id: str, issuer: str | None, create: bool
) -> PatientRow:
    """Return the patient a study is given to, made where there is none and `create` says so.

    Who is made is called as the study's patient: only the Patient ID was wrong.

    Raises
    ------
    RecordNotFound, AmbiguousPatient
        As `find_patient`.
    """
    if not create or patients_named(session, patient_id, issuer):
        return find_patient(session, patient_id, issuer)
    former = session.get_one(PatientRow, study.patient_key)
    said = {name: getattr(former, name) for name in _COPIED}
    patient = PatientRow(patient_id=patient_id, issuer=issuer or "", **said)
    session.add(patient)
    session.flush()
    return patient

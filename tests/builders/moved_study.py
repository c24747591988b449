"""A study that somebody gave to another patient."""

from datetime import date

from sqlmodel import select

from core.clock import utc_now
from core.database import Database
from core.identities.history import Correction
from core.identities.moving import move_study
from core.tables.identity_changes import ChangeSource
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow


def move_to_patient_born(database: Database, birth_date: date) -> None:
    """Give every study to a patient who was born then."""
    correction = Correction("wrong person", "admin", ChangeSource.PERSON, utc_now())
    with database.transaction() as session:
        patient = PatientRow(patient_id="MOVED-1", birth_date=birth_date)
        session.add(patient)
        session.flush()
        for study in session.exec(select(StudyRow)).all():
            move_study(session, study, patient, correction, force=True)

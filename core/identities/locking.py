"""The rows a correction holds until it ends: patients first, then studies, each in one order.

Whoever takes in an object of a new study shares the patient's row meanwhile, and whoever keeps a
report shares the study's: what they write is seen by the correction, or they see the correction.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from core.tables.patients import PatientRow
from core.tables.studies import StudyRow


def lock_patients(session: Session, *keys: int) -> dict[int, PatientRow]:
    """Return patients by key, with nobody else at them."""
    statement = (
        select(PatientRow)
        .where(col(PatientRow.id).in_(keys))
        .order_by(col(PatientRow.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in session.exec(statement).all() if row.id is not None}


def lock_studies(session: Session, patient_key: int) -> Sequence[StudyRow]:
    """Return the studies of a patient, with nobody else at them."""
    statement = (
        select(StudyRow)
        .where(col(StudyRow.patient_key) == patient_key)
        .order_by(col(StudyRow.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).all()


def lock_study(session: Session, study_key: int) -> StudyRow:
    """Return one study, with nobody else at it."""
    statement = select(StudyRow).where(col(StudyRow.id) == study_key).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).one()

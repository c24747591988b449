"""Patients by their identifiers: a Patient ID is unique only beside its issuer.

An ID that a patient had before a merge still finds them.
"""

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from core.tables.patients import PatientRow


def keys_named(patient_id: str, issuer: str | None) -> Select[int]:
    """Return the statement for the keys of who has, or had before a merge, a Patient ID.

    Parameters
    ----------
    issuer
        None: whoever gave it; empty: patients without one.
    """
    statement = select(func.coalesce(PatientRow.merged_into, PatientRow.id)).where(
        col(PatientRow.patient_id) == patient_id
    )
    return statement if issuer is None else statement.where(col(PatientRow.issuer) == issuer)


def patients_named(session: Session, patient_id: str, issuer: str | None) -> Sequence[PatientRow]:
    """Return who has, or had before a merge, a Patient ID; in the order of issuers."""
    statement = select_rows(PatientRow).where(
        col(PatientRow.id).in_(keys_named(patient_id, issuer))
    )
    return session.exec(statement.order_by(col(PatientRow.issuer))).all()


def issuers_of(session: Session, patient_id: str) -> Sequence[str]:
    """Return who gave a Patient ID, to a patient of today or to one that was merged."""
    statement = select_rows(PatientRow.issuer).where(col(PatientRow.patient_id) == patient_id)
    return session.exec(statement.order_by(col(PatientRow.issuer))).all()


def former_identities(session: Session, patient_key: int) -> Sequence[PatientRow]:
    """Return the records that were merged into a patient, in the order they first appeared."""
    statement = select_rows(PatientRow).where(col(PatientRow.merged_into) == patient_key)
    return session.exec(statement.order_by(col(PatientRow.id))).all()

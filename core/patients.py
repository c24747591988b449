"""Patients by their identifiers: a Patient ID is unique only beside its issuer.

An ID that a patient had before a merge still finds them.
"""

from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from core.errors import NodeError, RecordNotFound
from core.tables.columns import key_of
from core.tables.patients import PatientRow


class AmbiguousPatient(NodeError):
    """Several issuers use this Patient ID; name one with the parameter `issuer`.

    `issuers` holds their names, an empty text for a patient without one.
    """

    def __init__(self, issuers: Sequence[str]) -> None:
        super().__init__("Several issuers use this Patient ID; name one with `issuer`")
        self.issuers = list(issuers)


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


def key_as_named(session: Session, patient_id: str, issuer: str | None, patient: PatientRow) -> int:
    """Return the record that has a Patient ID itself: of that patient, or merged into theirs.

    Where two such records were merged into it, and the issuer does not tell which, it is theirs.
    """
    statement = select_rows(PatientRow.id).where(
        col(PatientRow.patient_id) == patient_id,
        or_(col(PatientRow.id) == patient.id, col(PatientRow.merged_into) == patient.id),
    )
    if issuer is not None:
        statement = statement.where(col(PatientRow.issuer) == issuer)
    keys = [key for key in session.exec(statement).all() if key is not None]
    return keys[0] if len(keys) == 1 else key_of(patient)


def keys_of_today(session: Session, keys: Sequence[int]) -> list[int]:
    """Return the patients that records are of today, in the same order, each once."""
    statement = select_rows(PatientRow.id, PatientRow.merged_into).where(
        col(PatientRow.id).in_(keys), col(PatientRow.merged_into).is_not(None)
    )
    merged = {key: into for key, into in session.exec(statement).all() if key and into}
    return list(dict.fromkeys(merged.get(key, key) for key in keys))


def find_patient(session: Session, patient_id: str, issuer: str | None) -> PatientRow:
    """Return the one patient that has, or had before a merge, that ID; never a guess between two.

    Raises
    ------
    RecordNotFound
        If there is none.
    AmbiguousPatient
        If several issuers use the ID and none was named.
    """
    rows = patients_named(session, patient_id, issuer)
    if not rows:
        raise RecordNotFound("There is no patient with that Patient ID and issuer")
    if len(rows) > 1:
        raise AmbiguousPatient(issuers_of(session, patient_id))
    return rows[0]


def issuers_of(session: Session, patient_id: str) -> Sequence[str]:
    """Return who gave a Patient ID, to a patient of today or to one that was merged."""
    statement = select_rows(PatientRow.issuer).where(col(PatientRow.patient_id) == patient_id)
    return session.exec(statement.order_by(col(PatientRow.issuer))).all()


def former_identities(session: Session, patient_key: int) -> Sequence[PatientRow]:
    """Return the records that were merged into a patient, in the order they first appeared."""
    statement = select_rows(PatientRow).where(col(PatientRow.merged_into) == patient_key)
    return session.exec(statement.order_by(col(PatientRow.id))).all()

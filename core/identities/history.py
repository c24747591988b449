"""The history of identities: what was corrected, by whom and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from core.audit.recording import append_audit
from core.audit.trail import current_trail, note_patients
from core.changes import append_change
from core.errors import RecordNotFound
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.identity_changes import ChangeSource, IdentityChangeKind, IdentityChangeRow
from core.values.audit import Actor, AuditAction, AuditEvent, DetailValue


@dataclass(frozen=True)
class Correction:
    """By whom something is corrected, when and why.

    Attributes
    ----------
    changed_by
        AE title of a peer, name of a person's key, or who sat at the command line.
    """

    reason: str
    changed_by: str
    source: ChangeSource
    at: datetime


def record_change(
    session: Session,
    kind: IdentityChangeKind,
    patient_key: int,
    correction: Correction,
    **what: Any,
) -> IdentityChangeRow:
    """Record a change in the caller's transaction, and in the audit trail with both patients.

    `tell` is the caller's to call, last: the number of a change makes others wait.
    """
    row = IdentityChangeRow(
        kind=kind,
        patient_key=patient_key,
        reason=correction.reason,
        source=correction.source,
        changed_by=correction.changed_by,
        changed_at=correction.at,
        **what,
    )
    session.add(row)
    session.flush()
    _audit(session, row)
    return row


def _audit(session: Session, row: IdentityChangeRow) -> None:
    # An association or a request may do more than this: its own entry need not name both.
    patients = [key for key in (row.from_patient_key, row.patient_key) if key is not None]
    note_patients(patients)
    trail = current_trail()
    known = trail.actor if trail is not None else None
    detail: dict[str, DetailValue] = {"identity_change": key_of(row), "correction": str(row.kind)}
    if row.undoes is not None:
        detail["undoes"] = row.undoes
    event = AuditEvent(
        known or Actor(row.changed_by, str(row.source)),
        AuditAction.CHANGE,
        "patient",
        patients=patients,
        detail=detail,
    )
    append_audit(session, event)


def tell(session: Session, row: IdentityChangeRow) -> None:
    """Tell the feed of a change; call it last in a transaction."""
    append_change(session, ChangeKind.IDENTITY_CHANGED, str(row.id))


def find_change(session: Session, change_id: int) -> IdentityChangeRow:
    """Return one change.

    Raises
    ------
    RecordNotFound
        If there is none of that number.
    """
    row = session.get(IdentityChangeRow, change_id)
    if row is None:
        raise RecordNotFound("There is no change of an identity with that number")
    return row


def of_patient(patient_key: int) -> ColumnElement[bool]:
    """Return the condition on changes that a patient is part of."""
    return or_(
        col(IdentityChangeRow.patient_key) == patient_key,
        col(IdentityChangeRow.from_patient_key) == patient_key,
    )


def undone(session: Session, change_ids: Sequence[int]) -> dict[int, int]:
    """Return by which change each of these was taken back, where it was."""
    taken_back = col(IdentityChangeRow.undoes)
    statement = select(taken_back, IdentityChangeRow.id).where(taken_back.in_(change_ids))
    return {undoes: by for undoes, by in session.exec(statement).all() if undoes and by}


def was_moved_from(session: Session, study_key: int, patient_key: int) -> bool:
    """Whether a study was moved away from a patient before, and so was decided about."""
    statement = select(IdentityChangeRow.id).where(
        col(IdentityChangeRow.study_key) == study_key,
        col(IdentityChangeRow.from_patient_key) == patient_key,
    )
    return session.exec(statement).first() is not None

"""Which records go on where another ended, because all that was wrong was the Patient ID."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.tables.identity_changes import IdentityChangeKind, IdentityChangeRow
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow

_TAKEN_BACK = aliased(IdentityChangeRow)

#: Patient ID and issuer.
Named = tuple[str, str]


def first_names(session: Session) -> Mapping[Named, Named]:
    """Return under which Patient ID each record began whose ID was corrected.

    A record goes on where another ended if it began with a study of that one, and that one has no
    study left. What merely gave a study away, and what was merged, is another person's or ended
    in a record that was there already.
    """
    continued: dict[int, int] = {}
    for patient_key, former_key in session.exec(_continuing()).all():
        if former_key is not None and former_key not in continued.values():
            continued[patient_key] = former_key
    keys = {*continued.keys(), *continued.values()}
    rows = session.exec(select(PatientRow).where(col(PatientRow.id).in_(keys))).all()
    names = {row.id: (row.patient_id, row.issuer) for row in rows}
    return {names[key]: names[_first(continued, key)] for key in continued}


def _first(continued: Mapping[int, int], key: int) -> int:
    seen = {key}
    while (former := continued.get(key)) is not None and former not in seen:
        key = former
        seen.add(key)
    return key


def _continuing() -> Any:
    """Return the statement for records and those they go on from, the oldest move first."""
    move, former = aliased(IdentityChangeRow), aliased(PatientRow)
    earlier = aliased(IdentityChangeRow)
    was_there = exists().where(
        col(StudyRow.patient_key) == move.patient_key,
        col(StudyRow.named_patient_key).is_(None),
        col(StudyRow.received_at) < move.changed_at,
    )
    was_given_before = exists().where(
        col(earlier.patient_key) == move.patient_key, col(earlier.id) < move.id, _is_move(earlier)
    )
    is_left = exists().where(col(StudyRow.patient_key) == move.from_patient_key)
    return (
        select(move.patient_key, move.from_patient_key)
        .join(former, col(former.id) == move.from_patient_key)
        .where(_is_move(move), col(former.merged_into).is_(None))
        .where(~was_there, ~was_given_before, ~is_left)
        .order_by(col(move.id))
    )


def _is_move(change: type[IdentityChangeRow]) -> ColumnElement[bool]:
    """Whether a change is a move of a study that nobody took back."""
    is_taken_back = exists().where(col(_TAKEN_BACK.undoes) == change.id)
    return (col(change.kind) == IdentityChangeKind.STUDY_MOVED) & ~is_taken_back

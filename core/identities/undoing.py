"""A correction that was wrong, taken back; what came since stays where it belongs."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import Session, col, select

from core.identities.corrected_values import values_of, write_values
from core.identities.errors import CorrectionRefused
from core.identities.following import let_follow
from core.identities.history import Correction, find_change, record_change, undone
from core.identities.locking import lock_patients, lock_studies, lock_study
from core.identities.moving import hand_over, tell_move
from core.measured_fields import is_named
from core.tables.columns import key_of
from core.tables.identity_changes import IdentityChangeKind, IdentityChangeRow
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow

_LATER_FIRST: Final = "Something was corrected after it; take that back first"


def undo(session: Session, change_id: int, correction: Correction) -> IdentityChangeRow:
    """Take a change back in the caller's transaction, and record that.

    The number of a change is taken: call it last.

    Raises
    ------
    RecordNotFound
        If there is no such change.
    CorrectionRefused
        If it was taken back before, is such a step itself, or something was corrected after it.
    """
    change = find_change(session, change_id)
    if change.kind not in _STEPS:
        raise CorrectionRefused("That is a change taken back; make the change anew instead")
    keys = [key for key in (change.patient_key, change.from_patient_key) if key is not None]
    patients = lock_patients(session, *keys)
    if undone(session, [change_id]):
        raise CorrectionRefused("It was taken back before")
    moved, details = _STEPS[IdentityChangeKind(change.kind)](session, change, patients)
    back = change.from_patient_key or change.patient_key
    row = record_change(
        session,
        IdentityChangeKind.UNDONE,
        back,
        correction,
        from_patient_key=change.patient_key if back != change.patient_key else None,
        study_key=change.study_key,
        details=details,
        undoes=change_id,
    )
    tell_move(session, row, let_follow(session, moved, patients[back], correction.at))
    return row


_Step = Callable[
    [Session, IdentityChangeRow, dict[int, PatientRow]], tuple[Sequence[StudyRow], dict[str, Any]]
]


def _separate(
    session: Session, change: IdentityChangeRow, patients: dict[int, PatientRow]
) -> tuple[Sequence[StudyRow], dict[str, Any]]:
    """Take two merged records apart: what was the former's, and what came with its ID since."""
    former = patients[_former_key(change)]
    if former.merged_into != change.patient_key:
        raise CorrectionRefused(_LATER_FIRST)
    was, named = set(change.details["studies"]), {key_of(former), *change.details["aliases"]}
    since = [
        study
        for study in lock_studies(session, change.patient_key)
        if study.id in was or study.named_patient_key in named
    ]
    moved = _moved_to(session, change.patient_key)
    since = [study for study in since if study.id in was or study.id not in moved]
    for study in since:
        hand_over(session, study, change.patient_key, former)
    _give_fields_back(session, change, former, named)
    former.merged_into = None
    aliases = select(PatientRow).where(col(PatientRow.id).in_(change.details["aliases"]))
    for row in session.exec(aliases).all():
        row.merged_into = former.id
    return since, {"studies": [key_of(study) for study in since]}


def _moved_to(session: Session, patient_key: int) -> set[int | None]:
    """Return the studies that were given to a patient one by one, whatever was merged."""
    statement = select(IdentityChangeRow.study_key).where(
        col(IdentityChangeRow.patient_key) == patient_key,
        col(IdentityChangeRow.kind) == IdentityChangeKind.STUDY_MOVED,
    )
    return set(session.exec(statement).all())


def _move_back(
    session: Session, change: IdentityChangeRow, patients: dict[int, PatientRow]
) -> tuple[Sequence[StudyRow], dict[str, Any]]:
    former = patients[_former_key(change)]
    if change.study_key is None:
        raise CorrectionRefused("The change names no study")
    study = lock_study(session, change.study_key)
    is_elsewhere = study.patient_key != change.patient_key or former.merged_into is not None
    if is_elsewhere or _was_moved_since(session, change):
        raise CorrectionRefused(_LATER_FIRST)
    hand_over(session, study, change.patient_key, former)
    _give_fields_back(session, change, former)
    return [study], {}


def _was_moved_since(session: Session, change: IdentityChangeRow) -> bool:
    """Whether the study was moved on, perhaps in a circle: what followed it went along."""
    statement = select(IdentityChangeRow.id).where(
        col(IdentityChangeRow.study_key) == change.study_key,
        col(IdentityChangeRow.kind) == IdentityChangeKind.STUDY_MOVED,
        col(IdentityChangeRow.id) > change.id,
    )
    later = [number for number in session.exec(statement).all() if number is not None]
    return len(undone(session, later)) < len(later)


def _restore(
    session: Session, change: IdentityChangeRow, patients: dict[int, PatientRow]
) -> tuple[Sequence[StudyRow], dict[str, Any]]:
    patient = patients[change.patient_key]
    before, after = change.details["before"], change.details["after"]
    if values_of(patient) != after:
        raise CorrectionRefused(_LATER_FIRST)
    write_values(patient, before)
    return lock_studies(session, change.patient_key), {"before": after, "after": before}


#: How a change of each kind is taken back: the studies that went back, and what is written down.
_STEPS: Final[dict[str, _Step]] = {
    IdentityChangeKind.PATIENTS_MERGED: _separate,
    IdentityChangeKind.STUDY_MOVED: _move_back,
    IdentityChangeKind.PATIENT_CORRECTED: _restore,
}


def _former_key(change: IdentityChangeRow) -> int:
    if change.from_patient_key is None:
        raise CorrectionRefused("The change names no former patient")
    return change.from_patient_key


def _give_fields_back(
    session: Session, change: IdentityChangeRow, former: PatientRow, named: Collection[int] = ()
) -> None:
    """Give back the fields that went along, and those that were recorded for these IDs since."""
    went_along = col(MeasuredFieldRow.id).in_(change.details["measured_fields"])
    statement = select(MeasuredFieldRow).where(
        or_(went_along, *(is_named(key) for key in named)),
        col(MeasuredFieldRow.patient_key) == change.patient_key,
    )
    for row in session.exec(statement).all():
        row.patient_key = key_of(former)

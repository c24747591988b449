"""A study that belongs to another patient than it says."""

from sqlmodel import Session

from core.changes import append_changes
from core.database import TransactionConflict
from core.identities.errors import CorrectionRefused
from core.identities.following import let_follow, move_measured_fields
from core.identities.history import Correction, record_change, tell
from core.identities.likeness import check_alike
from core.identities.locking import lock_patients, lock_study
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.identity_changes import IdentityChangeKind, IdentityChangeRow
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow


def move_study(
    session: Session,
    study: StudyRow,
    patient: PatientRow,
    correction: Correction,
    *,
    force: bool = False,
) -> IdentityChangeRow:
    """Give a study to another patient in the caller's transaction, with all that hangs on it.

    The number of a change is taken: call it last.

    Raises
    ------
    CorrectionRefused
        If it is that patient's already, or that record was merged into another.
    IdentityConflict
        If sex or birth date of the two contradict each other and nobody forces it.
    """
    row, reopened = begin_move(session, study, patient, correction, force=force)
    tell_move(session, row, reopened)
    return row


def begin_move(
    session: Session,
    study: StudyRow,
    patient: PatientRow,
    correction: Correction,
    *,
    force: bool = False,
) -> tuple[IdentityChangeRow, list[str]]:
    """Do all of `move_study` but telling the feed: `tell_move` does that, last."""
    former_key, target_key = study.patient_key, key_of(patient)
    patients = lock_patients(session, former_key, target_key)
    study = lock_study(session, key_of(study))
    if study.patient_key != former_key:
        raise TransactionConflict("Somebody else moved the study at this moment; look again")
    former, target = patients[former_key], patients[target_key]
    if former_key == target_key:
        raise CorrectionRefused("The study is that patient's already")
    if target.merged_into is not None:
        raise CorrectionRefused("That record was merged into another; name that one")
    check_alike(former, target, force=force)
    fields = hand_over(session, study, former_key, target)
    row = record_change(
        session,
        IdentityChangeKind.STUDY_MOVED,
        target_key,
        correction,
        from_patient_key=former_key,
        study_key=key_of(study),
        details={"measured_fields": fields},
    )
    return row, let_follow(session, [study], target, correction.at)


def hand_over(session: Session, study: StudyRow, former_key: int, patient: PatientRow) -> list[int]:
    """Write a study to a patient's name; return the keys of the measured fields that went along."""
    study.named_patient_key = study.named_patient_key or former_key
    if study.named_patient_key == key_of(patient):
        # It is back with whom its objects name.
        study.named_patient_key = None
    study.patient_key = key_of(patient)
    session.flush()
    return move_measured_fields(session, former_key, key_of(patient), key_of(study))


def tell_move(session: Session, row: IdentityChangeRow, reopened: list[str]) -> None:
    """Tell the feed of a change, and of the studies whose summary was opened again; last."""
    if reopened:
        append_changes(session.connection(), ChangeKind.STUDY_REOPENED, reopened)
    tell(session, row)

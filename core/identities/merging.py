"""Two records that are one person."""

from sqlmodel import Session, col, select

from core.identities.errors import CorrectionRefused
from core.identities.following import let_follow, move_measured_fields
from core.identities.history import Correction, record_change
from core.identities.likeness import check_alike
from core.identities.locking import lock_patients, lock_studies
from core.identities.moving import hand_over, tell_move
from core.tables.columns import key_of
from core.tables.identity_changes import IdentityChangeKind, IdentityChangeRow
from core.tables.patients import PatientRow


def merge_patients(
    session: Session,
    former: PatientRow,
    into: PatientRow,
    correction: Correction,
    *,
    force: bool = False,
) -> IdentityChangeRow:
    """Give everything of one record to another in the caller's transaction.

    The former record stays, empty, for its Patient ID: whoever asks for that, or sends objects
    with it, finds the other. The number of a change is taken: call it last.

    Raises
    ------
    CorrectionRefused
        If they are one record, or one of them was merged before.
    IdentityConflict
        If sex or birth date of the two contradict each other and nobody forces it.
    """
    former_key, into_key = key_of(former), key_of(into)
    patients = lock_patients(session, former_key, into_key)
    former, into = patients[former_key], patients[into_key]
    _check(former, into)
    check_alike(former, into, force=force)
    studies = lock_studies(session, former_key)
    fields = move_measured_fields(session, former_key, into_key)
    for study in studies:
        hand_over(session, study, former_key, into)
    details = {
        "studies": [key_of(study) for study in studies],
        "measured_fields": fields,
        "aliases": _hand_over_aliases(session, former_key, into_key),
    }
    former.merged_into = into_key
    row = record_change(
        session,
        IdentityChangeKind.PATIENTS_MERGED,
        into_key,
        correction,
        from_patient_key=former_key,
        details=details,
    )
    tell_move(session, row, let_follow(session, studies, into, correction.at))
    return row


def _check(former: PatientRow, into: PatientRow) -> None:
    if former.id == into.id:
        raise CorrectionRefused("Both are one record already")
    if former.merged_into is not None or into.merged_into is not None:
        raise CorrectionRefused("One of the records was merged before; name the one it is now")


def _hand_over_aliases(session: Session, former_key: int, into_key: int) -> list[int]:
    """Let the records that were merged into the former one lead to the other, too."""
    statement = select(PatientRow).where(col(PatientRow.merged_into) == former_key)
    rows = session.exec(statement.order_by(col(PatientRow.id)).with_for_update()).all()
    for row in rows:
        row.merged_into = into_key
    return [key_of(row) for row in rows]

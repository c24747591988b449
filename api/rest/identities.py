"""`/v1/patients/{id}/merge`, `…/history` and what belongs to them: who is who, corrected."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlmodel import Session, col, select

from api.dependencies import NodeParameter
from api.rest.pages import integer_page, listing_of
from api.rest.patients import Issuer
from api.schemas.identities import IdentityChangeOut, MergeIn, MoveIn, UndoIn, change_json
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from api.security import CallerParameter
from core.clock import utc_now
from core.errors import RecordNotFound
from core.identities.history import Correction, of_patient, undone
from core.identities.merging import merge_patients
from core.identities.moving import move_study
from core.identities.targets import target_patient
from core.identities.undoing import undo
from core.patients import find_patient
from core.tables.columns import key_of
from core.tables.identity_changes import ChangeSource, IdentityChangeRow
from core.tables.patients import PatientRow
from core.tables.studies import StudyRow

ROUTER: Final = APIRouter(prefix="/v1", tags=["patients"])

_PROBLEMS: Final = problems(400, 403, 404, 409)

ChangeNumber = Annotated[int, Path(ge=1, lt=2**31)]


class HistoryQuery(PageQuery):
    """Whose history."""

    issuer: Issuer = None


@ROUTER.post(
    "/patients/{patient_id:path}/merge",
    summary="Merge a patient into another",
    responses=_PROBLEMS,
)
def merge(
    node: NodeParameter,
    caller: CallerParameter,
    patient_id: str,
    wanted: MergeIn,
    issuer: Issuer = None,
) -> IdentityChangeOut:
    """Give everything of the patient of the path to another; the former ID finds that one then."""
    correction = _by(caller.name, wanted.reason)
    with node.database.transaction() as session:
        former = find_patient(session, patient_id, issuer)
        into = find_patient(session, wanted.into.patient_id, wanted.into.issuer)
        row = merge_patients(session, former, into, correction, force=wanted.force)
        return _json(session, [row])[0]


@ROUTER.post(
    "/studies/{study_uid}/move",
    summary="Give a study to another patient",
    responses=_PROBLEMS,
)
def move(
    node: NodeParameter, caller: CallerParameter, study_uid: str, wanted: MoveIn
) -> IdentityChangeOut:
    """Give a study, with its results and reports, to the patient it is of."""
    correction = _by(caller.name, wanted.reason)
    with node.database.transaction() as session:
        of_uid = col(StudyRow.study_instance_uid) == study_uid
        study = session.exec(select(StudyRow).where(of_uid)).first()
        if study is None:
            raise RecordNotFound("There is no study with that Study Instance UID")
        to = target_patient(session, study, wanted.to.patient_id, wanted.to.issuer, wanted.create)
        row = move_study(session, study, to, correction, force=wanted.force)
        return _json(session, [row])[0]


@ROUTER.post(
    "/identity-changes/{number}/undo",
    summary="Take a correction back",
    responses=_PROBLEMS,
)
def take_back(
    node: NodeParameter, caller: CallerParameter, number: ChangeNumber, wanted: UndoIn
) -> IdentityChangeOut:
    """Undo a merge, a move or a corrected name; what was corrected after it comes first."""
    with node.database.transaction() as session:
        row = undo(session, number, _by(caller.name, wanted.reason))
        return _json(session, [row])[0]


@ROUTER.get(
    "/patients/{patient_id:path}/history",
    summary="What was corrected about who a patient is, newest first",
    responses=problems(400, 404, 409),
)
def read_history(
    node: NodeParameter, patient_id: str, query: Annotated[HistoryQuery, Query()]
) -> Listing[IdentityChangeOut]:
    """Return the corrections a patient was part of: by whom, when and why."""
    with node.database.reading() as session:
        patient = find_patient(session, patient_id, query.issuer)
        rows, following = integer_page(
            session,
            select(IdentityChangeRow).where(of_patient(key_of(patient))),
            col(IdentityChangeRow.id),
            query,
            "history",
            _number,
            newest_first=True,
        )
        return listing_of(_json(session, rows), following)


def _by(name: str, reason: str) -> Correction:
    return Correction(reason, name, ChangeSource.PERSON, utc_now())


def _number(row: IdentityChangeRow) -> int:
    return key_of(row)


def _json(session: Session, rows: Sequence[IdentityChangeRow]) -> list[IdentityChangeOut]:
    keys = {key for row in rows for key in (row.patient_key, row.from_patient_key) if key}
    found = session.exec(select(PatientRow).where(col(PatientRow.id).in_(keys))).all()
    patients = {key_of(patient): patient for patient in found}
    moved = {row.study_key for row in rows if row.study_key}
    named = select(StudyRow.id, StudyRow.study_instance_uid).where(col(StudyRow.id).in_(moved))
    uids = {key: uid for key, uid in session.exec(named).all() if key}
    taken_back = undone(session, [key_of(row) for row in rows])
    return [change_json(row, patients, uids, taken_back.get(key_of(row))) for row in rows]

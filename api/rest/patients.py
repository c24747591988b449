"""`/v1/patients`: by patient."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from sqlmodel import Session, col, select

from api.dependencies import NodeParameter
from api.errors import AmbiguousPatient
from api.rest.pages import integer_page, listing_of
from api.rest.prediction_search import PredictionQuery, search_predictions
from api.schemas.listing import Listing, PageQuery
from api.schemas.patients import PatientOut, patient_of_row
from api.schemas.predictions import PredictionOut
from api.schemas.problem import problems
from core.errors import RecordNotFound
from core.tables.patients import PatientRow

ROUTER: Final = APIRouter(prefix="/v1/patients", tags=["patients"])

Issuer = Annotated[
    str | None,
    Query(description="Issuer of Patient ID, where two hospitals share an ID; empty: none."),
]


class PatientQuery(PageQuery):
    """Which patients."""

    patient_id: str | None = None
    issuer: str | None = None
    name: Annotated[
        str | None, Field(description="Part of the DICOM Person Name, upper or lower case.")
    ] = None


@ROUTER.get("", summary="Search patients", responses=problems(400))
def search_patients(
    node: NodeParameter, query: Annotated[PatientQuery, Query()]
) -> Listing[PatientOut]:
    """Return patients in the order they first appeared."""
    statement = select(PatientRow).where(*_conditions(query))
    with node.database.reading() as session:
        rows, following = integer_page(
            session, statement, col(PatientRow.id), query, "patients", _key_of
        )
    return listing_of([patient_of_row(row) for row in rows], following)


# The longer path is listed first: a Patient ID may hold a slash, so its parameter takes any text.
@ROUTER.get(
    "/{patient_id:path}/predictions",
    summary="Predictions of a patient, newest first",
    responses=problems(400, 404, 409),
)
def patient_predictions(
    node: NodeParameter,
    patient_id: str,
    query: Annotated[PredictionQuery, Query()],
) -> Listing[PredictionOut]:
    """Return what was estimated for one patient; every filter of the search applies too."""
    with node.database.reading() as session:
        patient = find_patient(session, patient_id, query.issuer)
        return search_predictions(session, query, col(PatientRow.id) == patient.id)


@ROUTER.get(
    "/{patient_id:path}",
    summary="One patient",
    responses=problems(404, 409),
)
def read_patient(node: NodeParameter, patient_id: str, issuer: Issuer = None) -> PatientOut:
    """Return one patient; where several issuers use the ID, `issuer` must say which."""
    with node.database.reading() as session:
        return patient_of_row(find_patient(session, patient_id, issuer))


def find_patient(session: Session, patient_id: str, issuer: str | None) -> PatientRow:
    """Return the one patient with that ID; never a guess between two.

    Raises
    ------
    RecordNotFound
        If there is none.
    AmbiguousPatient
        If several issuers use the ID and none was named.
    """
    statement = select(PatientRow).where(col(PatientRow.patient_id) == patient_id)
    if issuer is not None:
        statement = statement.where(col(PatientRow.issuer) == issuer)
    rows = session.exec(statement.order_by(col(PatientRow.issuer))).all()
    if not rows:
        raise RecordNotFound("There is no patient with that Patient ID and issuer")
    if len(rows) > 1:
        raise AmbiguousPatient([row.issuer for row in rows])
    return rows[0]


def _conditions(query: PatientQuery) -> list[Any]:
    conditions: list[Any] = []
    if query.patient_id is not None:
        conditions.append(col(PatientRow.patient_id) == query.patient_id)
    if query.issuer is not None:
        conditions.append(col(PatientRow.issuer) == query.issuer)
    if query.name is not None:
        conditions.append(col(PatientRow.name).icontains(query.name, autoescape=True))
    return conditions


def _key_of(row: PatientRow) -> int:
    assert row.id is not None  # noqa: S101 - it was read from the table
    return row.id

"""`/v1/patients`: by patient."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import col

from api.dependencies import NodeParameter
from api.entity_tags import TaggedRoute
from api.field_selection import OneFields, one, page
from api.rest.pages import listing_of
from api.rest.patient_search import PatientQuery, page_of_patients
from api.rest.prediction_search import PredictionQuery, search_predictions
from api.schemas.listing import Listing
from api.schemas.patients import PatientDetailOut, PatientOut, patient_detail, patient_of_row
from api.schemas.predictions import PredictionOut
from api.schemas.problem import NOT_MODIFIED, problems
from core.patients import find_patient, former_identities
from core.tables.columns import key_of
from core.tables.studies import StudyRow

ROUTER: Final = APIRouter(prefix="/v1/patients", tags=["patients"], route_class=TaggedRoute)

Issuer = Annotated[
    str | None,
    Query(description="Issuer of Patient ID, where two hospitals share an ID; empty: none."),
]


@ROUTER.get(
    "",
    summary="Search patients",
    response_model=Listing[PatientOut],
    responses={**problems(400), **NOT_MODIFIED},
)
def search_patients(
    node: NodeParameter, query: Annotated[PatientQuery, Query()]
) -> Listing[PatientOut] | Response:
    """Return patients in the order they first appeared; by name, who begins with it first."""
    with node.database.reading() as session:
        rows, following = page_of_patients(session, query)
    listing = listing_of([patient_of_row(row) for row in rows], following)
    return page(listing, query.fields, PatientOut)


# The longer path is listed first: a Patient ID may hold a slash, so its parameter takes any text.
@ROUTER.get(
    "/{patient_id:path}/predictions",
    summary="Predictions of a patient, newest first",
    response_model=Listing[PredictionOut],
    responses={**problems(400, 404, 409), **NOT_MODIFIED},
)
def patient_predictions(
    node: NodeParameter,
    patient_id: str,
    query: Annotated[PredictionQuery, Query()],
) -> Listing[PredictionOut] | Response:
    """Return what was estimated for one patient; every filter of the search applies too."""
    with node.database.reading() as session:
        patient = find_patient(session, patient_id, query.issuer)
        # The issuer said whose ID the path means: one from before a merge may have another.
        narrowed = query.model_copy(update={"issuer": None})
        of_patient = col(StudyRow.patient_key) == key_of(patient)
        found = search_predictions(session, narrowed, of_patient)
    return page(found, query.fields, PredictionOut)


@ROUTER.get(
    "/{patient_id:path}",
    summary="One patient",
    response_model=PatientDetailOut,
    responses={**problems(400, 404, 409), **NOT_MODIFIED},
)
def read_patient(
    node: NodeParameter, patient_id: str, issuer: Issuer = None, fields: OneFields = None
) -> PatientDetailOut | Response:
    """Return one patient; where several issuers use the ID, `issuer` must say which.

    A Patient ID from before a merge gives the patient it was merged into, with a note.
    """
    with node.database.reading() as session:
        patient = find_patient(session, patient_id, issuer)
        former = former_identities(session, key_of(patient))
    return one(patient_detail(patient, former, patient_id), fields)

"""`/v1/predictions`: search, and one with its links."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from sqlmodel import Session, col

from api.dependencies import NodeParameter
from api.entity_tags import TaggedRoute
from api.field_selection import OneFields, one, page
from api.rest.exports import CSV, PARQUET, exported
from api.rest.prediction_search import PredictionQuery, predictions_json, search_predictions
from api.schemas.listing import Listing
from api.schemas.measured_fields import agreement_json
from api.schemas.predictions import PredictionOut
from api.schemas.problem import NOT_MODIFIED, problems
from core.errors import RecordNotFound
from core.field_agreement import find_comparison
from core.prediction_rows import PredictionRecord, prediction_of
from core.predictions import select_predictions
from core.tables.columns import key_of
from core.tables.predictions import PredictionRow

ROUTER: Final = APIRouter(prefix="/v1/predictions", tags=["predictions"], route_class=TaggedRoute)

_TABLES: Final = {CSV: {"schema": {"type": "string"}}, PARQUET: {"schema": {"type": "string"}}}


@ROUTER.get(
    "",
    summary="Search predictions, newest first",
    response_model=Listing[PredictionOut],
    responses={**problems(400, 501), **NOT_MODIFIED, 200: {"content": _TABLES}},
)
def search(
    node: NodeParameter,
    query: Annotated[PredictionQuery, Query()],
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Listing[PredictionOut] | Response:
    """Return estimates and scans without one; every filter narrows the list.

    Where `Accept` prefers `text/csv` or Parquet, all that match come as one table.
    """
    table = exported(node, query, accept)
    if table is not None:
        return table
    with node.database.reading() as session:
        return page(search_predictions(session, query), query.fields, PredictionOut)


@ROUTER.get(
    "/{prediction_id}",
    summary="One prediction",
    response_model=PredictionOut,
    responses={**problems(400, 404), **NOT_MODIFIED},
)
def read_prediction(
    node: NodeParameter, prediction_id: str, fields: OneFields = None
) -> PredictionOut | Response:
    """Return one prediction with links to its other forms."""
    with node.database.reading() as session:
        record = find_record(session, prediction_id)
        [found] = predictions_json(session, [record])
        months = node.settings.agreement_months
        comparison = find_comparison(session, prediction_of(record), key_of(record[4]), months)
    return one(found.model_copy(update={"agreement": agreement_json(comparison)}), fields)


def find_record(session: Session, prediction_id: str) -> PredictionRecord:
    """Return a prediction's row with all it belongs to.

    Raises
    ------
    RecordNotFound
        If there is none with that identifier.
    """
    statement = select_predictions().where(col(PredictionRow.id) == prediction_id)
    record: PredictionRecord | None = session.execute(statement).first()
    if record is None:
        raise RecordNotFound("There is no prediction with that id")
    return record

"""`/v1/models`: the models the node knows, and which of them score."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.dependencies import NodeParameter
from api.rest.keyed_lists import model_page
from api.rest.pages import listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.models import ModelOut, model_of
from api.schemas.problem import problems
from core.model_choice import shown_state
from core.models import list_models

ROUTER: Final = APIRouter(prefix="/v1/models", tags=["operations"])


@ROUTER.get("", summary="Models, by name and version", responses=problems(400))
def list_known(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[ModelOut]:
    """Return every model that was ever ready to score here, with what it does now.

    A scoring process that starts makes the models of its host known.
    """
    with node.database.reading() as session:
        rows, following = model_page(session, query)
        models = list_models(session)
    shown = {(row.name, row.version) for row in rows}
    items = [
        model_of(model, shown_state(model, models, node.settings.model))
        for model in models
        if (model.identity.name, model.identity.version) in shown
    ]
    return listing_of(items, following)

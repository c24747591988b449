"""`/v1/changes`: the ordered, gap-free feed of what happened."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.dependencies import NodeParameter
from api.schemas.operations import ChangeOut, ChangesOut
from api.schemas.problem import problems
from core.changes import changes_after

ROUTER: Final = APIRouter(prefix="/v1/changes", tags=["operations"])


class ChangesQuery(BaseModel):
    """Where to go on."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, lt=2**63, description="Number of the last change read.")] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@ROUTER.get("", summary="What happened since", responses=problems())
def read_changes(node: NodeParameter, query: Annotated[ChangesQuery, Query()]) -> ChangesOut:
    """Return changes after a number, in the order of commits and without gaps.

    Begin with `after=0`; to go on, pass the number of the last change read.
    """
    with node.database.reading() as session:
        rows = changes_after(session, query.after, query.limit + 1)
    page = rows[: query.limit]
    following = str(page[-1].number) if len(rows) > query.limit else None
    return ChangesOut(items=[ChangeOut.model_validate(row) for row in page], next=following)

"""`/v1/research`: results under pseudonyms, in pages as JSON or as a whole as CSV."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col

from api.dependencies import Node, NodeParameter
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from api.schemas.research import ResearchResultOut, research_json
from api.sealed_cursors import seal, unseal
from core.pseudonyms import Pseudonyms, pseudonyms_of
from core.research import read_results, with_model
from core.research_table import COLUMNS, row_of, spreadsheet_row
from core.tables.predictions import PredictionRow
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.research_result import ResearchResult

ROUTER: Final = APIRouter(prefix="/v1/research", tags=["research"])

#: Rows of the table read at a time.
_BATCH: Final = 200


class ResearchFilter(BaseModel):
    """Which results. No day is among the filters: to ask day after day would tell the true one."""

    model_config = ConfigDict(extra="forbid")

    laterality: Laterality | None = None
    model: Annotated[str | None, Field(description="NAME or NAME:VERSION.")] = None
    status: Annotated[
        PredictionStatus | None, Field(description="`final` or `not_assessable`.")
    ] = None
    # Whole decibels: asked more and more finely, the true one would come out, and by it the age.
    mean_deviation_max: Annotated[
        int | None, Field(ge=-100, le=100, description="Whole dB; only estimates at or below it.")
    ] = None

    def conditions(self) -> list[Any]:
        """Return the filters in SQL."""
        row = PredictionRow
        found = list(with_model(self.model)) if self.model is not None else []
        if self.laterality is not None:
            found.append(col(row.laterality) == self.laterality)
        if self.status is not None:
            found.append(col(row.status) == self.status)
        if self.mean_deviation_max is not None:
            found.append(col(row.mean_deviation_db) <= self.mean_deviation_max)
        return found


class ResearchQuery(PageQuery, ResearchFilter):
    """One page of them."""


@ROUTER.get("/predictions", summary="Results under pseudonyms", responses=problems(400, 403))
def list_results(
    node: NodeParameter, query: Annotated[ResearchQuery, Query()]
) -> Listing[ResearchResultOut]:
    """Return results that stand, in an order that says nothing of when each was made."""
    results, following = page_of_results(node, query)
    return Listing(items=[research_json(result) for result in results], next=following)


@ROUTER.get(
    "/predictions.csv",
    summary="All results under pseudonyms, as a table",
    responses={**problems(403), 200: {"content": {"text/csv": {}}}},
    response_class=StreamingResponse,
)
def read_table(node: NodeParameter, query: Annotated[ResearchFilter, Query()]) -> StreamingResponse:
    """Return one line a result, with the columns of `arcuate export`."""
    pseudonyms = _pseudonyms(node)
    # Before the answer begins: an error that comes later could not be told any more.
    first = _batch(node, pseudonyms, "", query)
    headers = {"Content-Disposition": 'attachment; filename="results.csv"'}
    lines = _lines(node, pseudonyms, first, query)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def page_of_results(node: Node, query: ResearchQuery) -> tuple[list[ResearchResult], str | None]:
    """Return one page of results, and the cursor of the next one.

    Raises
    ------
    CursorInvalid
        If the cursor is not one of this list.
    """
    pseudonyms = _pseudonyms(node)
    key = pseudonyms.digest("cursor")
    after = "" if query.cursor is None else unseal(key, query.cursor)
    with node.database.reading() as session:
        results, last = read_results(session, pseudonyms, after, query.limit, *query.conditions())
    return results, None if last is None else seal(key, last)


def _pseudonyms(node: Node) -> Pseudonyms:
    return pseudonyms_of(node.database, node.settings.research_project)


_Batch = tuple[list[ResearchResult], str | None]


def _batch(node: Node, pseudonyms: Pseudonyms, after: str, query: ResearchFilter) -> _Batch:
    with node.database.reading() as session:
        return read_results(session, pseudonyms, after, _BATCH, *query.conditions())


def _lines(
    node: Node, pseudonyms: Pseudonyms, first: _Batch, query: ResearchFilter
) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    results, last = first
    while True:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writerows(spreadsheet_row(row_of(result)) for result in results)
        yield text.getvalue()
        if last is None:
            return
        results, last = _batch(node, pseudonyms, last, query)

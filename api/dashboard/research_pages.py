"""What researchers look at: results under pseudonyms."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.rest.research import ResearchQuery, page_of_results
from api.security import CallerParameter

ROUTER: Final = APIRouter(include_in_schema=False)

_PAGE_LENGTH: Final = 50

Cursor = Annotated[str | None, Query(max_length=512)]


@ROUTER.get("/research")
def show_results(
    node: NodeParameter, caller: CallerParameter, cursor: Cursor = None
) -> HTMLResponse:
    """Show results without whose they are."""
    query = ResearchQuery(limit=_PAGE_LENGTH, cursor=cursor)
    results, following = page_of_results(node, query)
    return render(
        "research.html",
        here="/research",
        caller=caller,
        results=results,
        next=following,
        is_first_page=cursor is None,
        project=node.settings.research_project,
    )

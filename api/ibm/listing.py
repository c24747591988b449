"""Lists as that API pages them: a limit, where it begins, and the address of the next page."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field


class ListQuery(BaseModel):
    """Which page of a list. Parameters that are not known are left aside, as the original does."""

    model_config = ConfigDict(extra="ignore")

    limit: Annotated[int, Field(ge=1, le=200)] = 100
    #: How many come before the page.
    start: Annotated[int, Field(ge=0, lt=2**31)] = 0
    space_id: str = ""


def page_of(request: Request, query: ListQuery, whole: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the page of a list that is at hand as a whole."""
    resources = list(whole[query.start : query.start + query.limit])
    return page(request, query, resources, len(whole))


def page(
    request: Request, query: ListQuery, resources: list[dict[str, Any]], total: int
) -> dict[str, Any]:
    """Return a page with where the first and the next one are."""
    told: dict[str, Any] = {
        "resources": resources,
        "total_count": total,
        "limit": query.limit,
        "first": {"href": _href(request, query.limit, 0)},
    }
    following = query.start + query.limit
    if following < total:
        told["next"] = {"href": _href(request, query.limit, following), "start": str(following)}
    return told


def _href(request: Request, limit: int, start: int) -> str:
    others = {
        name: value
        for name, value in request.query_params.items()
        if name not in {"limit", "start"}
    }
    place = {"start": str(start)} if start else {}
    return f"{request.url.path}?{urlencode({**others, 'limit': str(limit), **place})}"

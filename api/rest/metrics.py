"""`/metrics`: for Prometheus; open unless a setting says otherwise, and silent about patients."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse

from api.metrics.exposition import expose

ROUTER: Final = APIRouter(tags=["health"])


@ROUTER.get(
    "/metrics", summary="How this node is, for Prometheus", response_class=PlainTextResponse
)
def read_metrics(request: Request, accept: Annotated[str, Header()] = "") -> Response:
    """Return every metric; where the database is away, what is known without it."""
    content, media_type = expose(request.app.state.metrics, accept)
    return Response(content, media_type=media_type)

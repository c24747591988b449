"""`/v1/events`: the change feed as server-sent events."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from api.events.streams import MEDIA_TYPE, EventStream, EventStreams
from api.schemas.problem import problems
from api.security import RecheckParameter

ROUTER: Final = APIRouter(prefix="/v1/events", tags=["operations"])

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **problems(409),
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
}

After = Annotated[
    int | None,
    Query(
        ge=0,
        lt=2**63,
        description="Number of the last change read, 0 for all; left out: what happens from now "
        "on. `Last-Event-ID`, which a client sends that comes back, counts before it.",
    ),
]
LastEventID = Annotated[int | None, Header(ge=0, lt=2**63, alias="Last-Event-ID")]


@ROUTER.get(
    "",
    summary="What happens, as it happens",
    response_class=Response,
    responses=_RESPONSES,
)
async def stream_changes(
    request: Request,
    recheck: RecheckParameter,
    after: After = None,
    last_event_id: LastEventID = None,
) -> EventStream:
    """Send the changes of `/v1/changes` as server-sent events: in order, without gaps.

    The id of an event is the number of its change, its data the JSON of one item.
    """
    streams: EventStreams = request.app.state.event_streams
    return await streams.open(after if last_event_id is None else last_event_id, recheck)

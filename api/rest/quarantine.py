"""`/v1/quarantine`: objects that were kept aside, to look at and to be done with."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from sqlmodel import col, select

from api.dependencies import Node, NodeParameter
from api.dicomweb.streamed import span_of
from api.rest.pages import integer_page, listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.operations import QuarantineOut
from api.schemas.problem import problems
from api.security import CallerParameter
from core.clock import utc_now
from core.quarantine import dismiss_aside, find_aside, kept_key
from core.tables.columns import key_of
from core.tables.quarantine import QuarantineRow
from dicom_node.storage.kept_object import Span

ROUTER: Final = APIRouter(prefix="/v1/quarantine", tags=["operations"])
#: Its bytes may be a patient's, and what it is nobody could read.
OBJECT_PATH: Final = ROUTER.prefix + "/{quarantine_id}/object"

QuarantineId = Annotated[int, Path(ge=1, lt=2**31)]
#: Whatever came: nothing may take it for what its sender says it is.
_OCTETS: Final = "application/octet-stream"


class QuarantineQuery(PageQuery):
    """Which objects."""

    dismissed: bool | None = None


@ROUTER.get("", summary="Objects kept aside, newest first", responses=problems(400))
def list_quarantine(
    node: NodeParameter, query: Annotated[QuarantineQuery, Query()]
) -> Listing[QuarantineOut]:
    """Return the objects that were not taken in or were replaced, each with its cause."""
    statement = select(QuarantineRow)
    if query.dismissed is not None:
        dismissed_at = col(QuarantineRow.dismissed_at)
        wanted = dismissed_at.is_not(None) if query.dismissed else dismissed_at.is_(None)
        statement = statement.where(wanted)
    with node.database.reading() as session:
        rows, following = integer_page(
            session,
            statement,
            col(QuarantineRow.id),
            query,
            "quarantine",
            _key_of,
            newest_first=True,
        )
    return listing_of([QuarantineOut.model_validate(row) for row in rows], following)


@ROUTER.get("/{quarantine_id}", summary="One object kept aside", responses=problems(404))
def read_aside(node: NodeParameter, quarantine_id: QuarantineId) -> QuarantineOut:
    """Return an object that was not taken in or was replaced, with its cause."""
    with node.database.reading() as session:
        return QuarantineOut.model_validate(find_aside(session, quarantine_id))


@ROUTER.get(
    OBJECT_PATH.removeprefix(ROUTER.prefix),
    summary="Its bytes",
    response_class=StreamingResponse,
    responses={
        200: {"content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}},
        **problems(403, 404, 409),
    },
)
def download_aside(node: NodeParameter, quarantine_id: QuarantineId) -> StreamingResponse:
    """Return the file as it was kept: what is wrong with it may be wrong for its reader, too."""
    with node.database.reading() as session:
        key = kept_key(find_aside(session, quarantine_id))
    return _streamed(node, key, f"quarantine-{quarantine_id}.dcm")


@ROUTER.post(
    "/{quarantine_id}/dismiss",
    summary="Say that it is dealt with",
    responses=problems(403, 404),
)
def dismiss(
    node: NodeParameter, caller: CallerParameter, quarantine_id: QuarantineId
) -> QuarantineOut:
    """Record that an object needs no more attention; it lies there until it is too old."""
    with node.database.transaction() as session:
        row = dismiss_aside(session, quarantine_id, caller.name, utc_now())
        return QuarantineOut.model_validate(row)


def _streamed(node: Node, key: str, name: str) -> StreamingResponse:
    store = node.archive.quarantine
    length = store.size(key)
    headers = {
        "Content-Length": str(length),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    content = span_of(store.open(key), Span(0, length))
    return StreamingResponse(content, media_type=_OCTETS, headers=headers)


def _key_of(row: QuarantineRow) -> int:
    return key_of(row)

"""`/v1/devices`, `/v1/peers`: who sends, and when each was last seen."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlmodel import col, select

from api.dependencies import NodeParameter
from api.rest.keyed_lists import peer_page
from api.rest.pages import integer_page, listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from api.schemas.sightings import DeviceOut, PeerOut, device_of_row, peer_of
from core.clock import utc_now
from core.peer_sightings import with_sightings
from core.tables.columns import key_of
from core.tables.sightings import DeviceRow

ROUTER: Final = APIRouter(prefix="/v1", tags=["operations"])


@ROUTER.get("/peers", summary="Application entities that may call", responses=problems(400))
def list_peers(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[PeerOut]:
    """Return the allow-list in the order of AE titles, with what was seen of each."""
    with node.database.reading() as session:
        rows, following = peer_page(session, query)
        peers = with_sightings(session, rows, utc_now())
    return listing_of([peer_of(peer) for peer in peers], following)


@ROUTER.get("/devices", summary="Devices objects came from", responses=problems(400))
def list_devices(node: NodeParameter, query: Annotated[PageQuery, Query()]) -> Listing[DeviceOut]:
    """Return every device that was named in an object, in the order they first appeared."""
    with node.database.reading() as session:
        rows, following = integer_page(
            session, select(DeviceRow), col(DeviceRow.id), query, "devices", _key_of
        )
    return listing_of([device_of_row(row) for row in rows], following)


def _key_of(row: DeviceRow) -> int:
    return key_of(row)

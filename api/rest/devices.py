"""`/v1/devices`: the equipment objects came from, and when each was last seen."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from sqlmodel import col, select

from api.dependencies import NodeParameter
from api.rest.pages import integer_page, listing_of
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from api.schemas.sightings import DeviceOut, device_of_row
from core.tables.columns import key_of
from core.tables.sightings import DeviceRow

ROUTER: Final = APIRouter(prefix="/v1", tags=["operations"])


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

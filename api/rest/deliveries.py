"""`/v1/deliveries`: which report went where; what was given up is sent again or dismissed."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from sqlmodel import Session, col

from api.dependencies import NodeParameter
from api.rest.pages import integer_page, listing_of
from api.schemas.deliveries import DeliveryOut, delivery_out
from api.schemas.listing import Listing, PageQuery
from api.schemas.problem import problems
from core.deliveries.listing import DeliveryRecord, Wanted, select_deliveries
from core.deliveries.retrying import dismiss_delivery, retry_delivery
from core.tables.deliveries import DeliveryRow, DeliveryState

ROUTER: Final = APIRouter(prefix="/v1/deliveries", tags=["deliveries"])

#: Larger ones are no keys of any database.
DeliveryId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    state: DeliveryState | None = None
    destination: Annotated[str | None, Query(max_length=64)] = None
    study_uid: Annotated[str | None, Query(max_length=64)] = None


@ROUTER.get("", summary="Deliveries, newest first", responses=problems(400))
def list_deliveries(
    node: NodeParameter, query: Annotated[DeliveryQuery, Query()]
) -> Listing[DeliveryOut]:
    """Return each report on its way to each destination; `error` says why one is not there."""
    statement = select_deliveries(Wanted(query.state, query.destination, query.study_uid))
    with node.database.reading() as session:
        rows, following = integer_page(
            session,
            statement,
            col(DeliveryRow.id),
            query,
            "deliveries",
            _key_of,
            newest_first=True,
        )
    return listing_of([delivery_out(row) for row in rows], following)


@ROUTER.post(
    "/{delivery_id}/retry",
    summary="Send a delivery once more",
    responses=problems(403, 404, 409),
)
def retry(node: NodeParameter, delivery_id: DeliveryId) -> DeliveryOut:
    """Let a delivery be due at once, its attempts begun anew; a `deliver` process sends it."""
    with node.database.transaction() as session:
        retry_delivery(session, delivery_id)
        return delivery_out(_find(session, delivery_id))


@ROUTER.post(
    "/{delivery_id}/dismiss",
    summary="Say that a delivery that was given up need not arrive",
    responses=problems(403, 404, 409),
)
def dismiss(node: NodeParameter, delivery_id: DeliveryId) -> DeliveryOut:
    """Let a delivery that was given up hold its study no more."""
    with node.database.transaction() as session:
        dismiss_delivery(session, delivery_id)
        return delivery_out(_find(session, delivery_id))


def _find(session: Session, delivery_id: int) -> DeliveryRecord:
    statement = select_deliveries(Wanted()).where(col(DeliveryRow.id) == delivery_id)
    return session.execute(statement).one()


def _key_of(record: DeliveryRecord) -> int:
    row: DeliveryRow = record[0]
    key = row.id
    assert key is not None  # noqa: S101 - it was read from the table
    return key

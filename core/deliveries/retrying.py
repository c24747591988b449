"""What a person decides of a delivery: to send it once more, or that it need not arrive."""

from typing import Any, Final

from sqlmodel import Session, col, select, update

from core.clock import Clock, utc_now
from core.database import database_seconds
from core.deliveries.destinations import close_circuit, find_destination
from core.deliveries.scheduling import wake
from core.errors import NodeError, RecordNotFound
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import DestinationRow

_FRESH: Final[dict[str, Any]] = {
    "state": DeliveryState.WAITING,
    "attempts": 0,
    "gave_up_at": None,
    "dismissed_at": None,
    "failing_since": None,
    "commitment": None,
    "commitment_requests": 0,
}


class DeliveryUnderWay(NodeError):
    """The delivery is being sent at this moment; look again."""


class DeliveryNotGivenUp(NodeError):
    """Only a delivery that was given up can be dismissed."""


def retry_delivery(session: Session, delivery_id: int) -> DeliveryRow:
    """Send a delivery once more, whatever became of it; its attempts begin anew.

    Raises
    ------
    RecordNotFound
        If there is no such delivery, or its destination was removed.
    DeliveryUnderWay
        If it is being sent.
    """
    row = _find(session, delivery_id)
    destination = session.get_one(DestinationRow, row.destination_id)
    if destination.removed_at is not None:
        raise RecordNotFound(f"The destination {destination.name} was removed")
    if row.state == DeliveryState.SENDING:
        raise DeliveryUnderWay
    for name, value in _FRESH.items():
        setattr(row, name, value)
    row.available_at = database_seconds(session)
    close_circuit(destination)
    session.flush()
    wake(session, row.destination_id)
    return row


def retry_destination(session: Session, name: str) -> int:
    """Send everything to a destination that was given up or is put off; return how many.

    What somebody dismissed stays so: `retry_delivery` sends one of those.

    Raises
    ------
    RecordNotFound
        If there is no such destination.
    """
    destination = find_destination(session, name)
    statement = (
        update(DeliveryRow)
        .where(col(DeliveryRow.destination_id) == destination.id)
        .where(col(DeliveryRow.state).in_((DeliveryState.GAVE_UP, DeliveryState.WAITING)))
        .where(col(DeliveryRow.dismissed_at).is_(None))
        .values(available_at=database_seconds(session), **_FRESH)
    )
    count = int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
    close_circuit(destination)
    session.add(destination)
    session.flush()
    wake(session, key_of(destination))
    return count


def dismiss_delivery(session: Session, delivery_id: int, clock: Clock = utc_now) -> DeliveryRow:
    """Record that a delivery that was given up need not arrive; it holds its study no more.

    Raises
    ------
    RecordNotFound
        If there is no such delivery.
    DeliveryNotGivenUp
        If it was not given up.
    """
    row = _find(session, delivery_id)
    if row.state != DeliveryState.GAVE_UP:
        raise DeliveryNotGivenUp
    row.dismissed_at = row.dismissed_at or clock()
    return row


def _find(session: Session, delivery_id: int) -> DeliveryRow:
    statement = select(DeliveryRow).where(col(DeliveryRow.id) == delivery_id).with_for_update()
    row = session.exec(statement).one_or_none()
    if row is None:
        raise RecordNotFound(
            f"There is no delivery {delivery_id}; `arcuate deliveries list` shows them"
        )
    return row

"""What waits for a destination: taken in order, and given back where nothing came of it."""

from collections.abc import Sequence

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from core.database import database_seconds
from core.tables.columns import key_of
from core.tables.deliveries import CommitmentState, DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState, DestinationRow


def take_waiting(session: Session, destination: DestinationRow, limit: int) -> list[DeliveryRow]:
    """Take what is due, oldest first, and mark it as being sent; an attempt is counted.

    What was tried before is taken alone: in a group, one bad object that kills its process would
    take its neighbours' attempts with it. While it is not known whether the destination answers,
    only one is taken, the one that waits longest, so that none is tried over and over.
    """
    tries = destination.circuit == CircuitState.HALF_OPEN
    order = col(DeliveryRow.available_at) if tries else col(DeliveryRow.id)
    statement = (
        select(DeliveryRow)
        .where(col(DeliveryRow.destination_id) == destination.id)
        .where(col(DeliveryRow.state) == DeliveryState.WAITING)
        .where(col(DeliveryRow.available_at) <= database_seconds(session))
        .order_by(order, col(DeliveryRow.id))
        .limit(1 if tries else limit)
        # What is let go at this moment is not overwritten: it is not taken.
        .with_for_update(skip_locked=True)
    )
    taken = _group(session.exec(statement).all())
    for row in taken:
        row.state, row.attempts = DeliveryState.SENDING, row.attempts + 1
    return taken


def give_back(session: Session, deliveries: Sequence[DeliveryRow]) -> None:
    """Let what was taken and not sent wait again, as if it had not been taken."""
    for taken in deliveries:
        row = session.get_one(DeliveryRow, key_of(taken))
        if row.state == DeliveryState.SENDING:
            row.state, row.attempts = DeliveryState.WAITING, row.attempts - 1


def interrupted(session: Session, destination_id: int) -> Sequence[DeliveryRow]:
    """Return what a process took and did not come back from."""
    statement = select(DeliveryRow).where(
        col(DeliveryRow.destination_id) == destination_id,
        col(DeliveryRow.state) == DeliveryState.SENDING,
    )
    return session.exec(statement).all()


def next_due(session: Session, destination_id: int) -> float | None:
    """Return when something is to be done next, the database's clock; None where nothing is."""
    is_unasked = col(DeliveryRow.commitment) == CommitmentState.ASKED
    statement = (
        select(func.min(DeliveryRow.available_at))
        .where(col(DeliveryRow.destination_id) == destination_id)
        .where(or_(col(DeliveryRow.state) == DeliveryState.WAITING, is_unasked))
    )
    return session.exec(statement).one()


def _group(due: Sequence[DeliveryRow]) -> list[DeliveryRow]:
    if due and due[0].attempts > 0:
        return [due[0]]
    return [row for row in due if row.attempts == 0]

"""The places results are sent to: added, shown, switched on and off, removed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlmodel import Session, col, select, update

from core.clock import Clock, utc_now
from core.deliveries.scheduling import wake
from core.errors import NodeError, RecordNotFound
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState, DestinationRow

#: A name stands in commands, URLs and logs.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: States of a delivery that something is left to do for.
UNSENT: Final = (DeliveryState.WAITING, DeliveryState.SENDING)


class DestinationInvalid(NodeError):
    """A destination's name, kind, address or options cannot be used."""


class DestinationNameTaken(NodeError):
    """There is a destination of that name already; remove it, or choose another name."""


def add_destination(
    session: Session,
    name: str,
    kind: str,
    address: str,
    options: Mapping[str, Any] | None = None,
    secret: str | None = None,
    clock: Clock = utc_now,
) -> DestinationRow:
    """Record a destination; nothing goes there before a rule says so.

    Parameters
    ----------
    kind, address, options
        As the target of that kind has checked them.

    Raises
    ------
    DestinationInvalid
        If the name is malformed.
    DestinationNameTaken
        If there is one of that name.
    """
    if not _NAME.fullmatch(name):
        raise DestinationInvalid(
            f"{name!r} is no name of a destination: 1 to 64 letters, digits, '.', '_' and '-'"
        )
    if _find(session, name) is not None:
        raise DestinationNameTaken
    row = DestinationRow(
        name=name,
        kind=kind,
        address=address,
        options=dict(options or {}),
        secret=secret,
        added_at=clock(),
    )
    session.add(row)
    session.flush()
    return row


def find_destination(session: Session, name: str) -> DestinationRow:
    """Return the destination of that name.

    Raises
    ------
    RecordNotFound
        If there is none.
    """
    row = _find(session, name)
    if row is None:
        raise RecordNotFound(
            f"There is no destination {name}; `arcuate destinations list` shows all"
        )
    return row


def list_destinations(session: Session) -> Sequence[DestinationRow]:
    """Return every destination by name."""
    statement = select(DestinationRow).where(col(DestinationRow.removed_at).is_(None))
    return session.exec(statement.order_by(col(DestinationRow.name))).all()


def enable_destination(session: Session, name: str) -> DestinationRow:
    """Send to a destination, at once where something waits, whatever went wrong before.

    What was learned of it is forgotten: it may take more now than it did.

    Raises
    ------
    RecordNotFound
        If there is no such destination.
    """
    row = find_destination(session, name)
    row.enabled, row.learned = True, {}
    close_circuit(row)
    session.add(row)
    wake(session, key_of(row))
    return row


def disable_destination(session: Session, name: str) -> DestinationRow:
    """Send to a destination no more; what is for it waits.

    Raises
    ------
    RecordNotFound
        If there is no such destination.
    """
    row = find_destination(session, name)
    row.enabled = False
    session.add(row)
    return row


def remove_destination(session: Session, name: str, clock: Clock = utc_now) -> int:
    """Forget a destination, and what waits for it; return how many that were.

    What was delivered there stays on record.

    Raises
    ------
    RecordNotFound
        If there is no such destination.
    """
    row = find_destination(session, name)
    now = clock()
    row.enabled, row.removed_at, row.secret = False, now, None
    session.add(row)
    statement = (
        update(DeliveryRow)
        .where(col(DeliveryRow.destination_id) == row.id)
        .where(col(DeliveryRow.state).in_((*UNSENT, DeliveryState.GAVE_UP)))
        .where(col(DeliveryRow.dismissed_at).is_(None))
        .values(
            state=DeliveryState.GAVE_UP,
            error="The destination was removed",
            available_at=None,
            gave_up_at=now,
            dismissed_at=now,
        )
    )
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def close_circuit(row: DestinationRow) -> None:
    """Take a destination for one that answers."""
    row.circuit, row.failures, row.retry_at = CircuitState.CLOSED, 0, None


def _find(session: Session, name: str) -> DestinationRow | None:
    statement = select(DestinationRow).where(
        col(DestinationRow.name) == name, col(DestinationRow.removed_at).is_(None)
    )
    return session.exec(statement).one_or_none()

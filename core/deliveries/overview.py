"""Destinations with what waits for each; a secret is not among what is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.deliveries.destinations import list_destinations
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import DestinationRow

#: What is counted: the others need nobody.
_OPEN = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.GAVE_UP)


@dataclass(frozen=True)
class Overview:
    """A destination, how many deliveries wait for it, and how many were given up."""

    row: DestinationRow
    waiting: int
    gave_up: int

    def as_dict(self) -> dict[str, Any]:
        """Return what is shown of it."""
        row = self.row
        return {
            "name": row.name,
            "kind": row.kind,
            "address": row.address,
            "options": row.options,
            "has_secret": row.secret is not None,
            "learned": row.learned,
            "enabled": row.enabled,
            "circuit": row.circuit,
            "failures": row.failures,
            "waiting": self.waiting,
            "gave_up": self.gave_up,
            "retry_at": row.retry_at,
            "last_success_at": row.last_success_at,
            "last_error": row.last_error,
            "last_error_at": row.last_error_at,
            "added_at": row.added_at,
        }


def list_overviews(session: Session) -> Sequence[Overview]:
    """Return every destination by name."""
    counts = _counts(session)
    return [
        Overview(
            row,
            counts.get((key_of(row), DeliveryState.WAITING), 0)
            + counts.get((key_of(row), DeliveryState.SENDING), 0),
            counts.get((key_of(row), DeliveryState.GAVE_UP), 0),
        )
        for row in list_destinations(session)
    ]


def _counts(session: Session) -> dict[tuple[int, str], int]:
    statement = (
        select(DeliveryRow.destination_id, DeliveryRow.state, func.count())
        .where(col(DeliveryRow.state).in_(_OPEN), col(DeliveryRow.dismissed_at).is_(None))
        .group_by(col(DeliveryRow.destination_id), col(DeliveryRow.state))
    )
    return {(key, state): count for key, state, count in session.exec(statement).all()}

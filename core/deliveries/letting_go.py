"""What was to be sent and must not be any more, because it no longer holds."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from core.deliveries.destinations import UNSENT
from core.tables.deliveries import DeliveryRow, DeliveryState

#: Why a report that names a former patient goes nowhere.
IDENTITY_CORRECTED: Final = "A report with the corrected identity goes instead"


def let_go(session: Session, instance_keys: Collection[int], cause: str, at: datetime) -> int:
    """Have objects sent nowhere, in the caller's transaction; return how many deliveries end so.

    What was given up ends, too: somebody may send all of a destination again. What is on its way at
    this moment may still arrive, but is not tried again. What arrived stays on record. Whoever
    records how an attempt ended has the delivery before the number of a change: call it before
    `append_change`.
    """
    statement = (
        select(DeliveryRow)
        .where(col(DeliveryRow.instance_key).in_(instance_keys))
        .where(col(DeliveryRow.state).in_((*UNSENT, DeliveryState.GAVE_UP)))
        .where(col(DeliveryRow.dismissed_at).is_(None))
        .order_by(col(DeliveryRow.id))
        .with_for_update()
    )
    rows = session.exec(statement).all()
    for row in rows:
        row.state, row.error, row.available_at = DeliveryState.GAVE_UP, cause, None
        row.gave_up_at, row.dismissed_at = row.gave_up_at or at, at
    session.flush()
    return len(rows)

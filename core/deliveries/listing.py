"""Deliveries with what they are of and where they go, for lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, and_, not_, select
from sqlmodel import Session, col

from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import DestinationRow
from core.tables.instances import InstanceRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow

_IS_OPEN: Final = and_(
    col(DeliveryRow.state).in_(
        (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.GAVE_UP)
    ),
    col(DeliveryRow.dismissed_at).is_(None),
)
#: A delivery, its destination, its instance, and its study's Study Instance UID.
DeliveryRecord = Row[DeliveryRow, DestinationRow, InstanceRow, str]


@dataclass(frozen=True)
class Wanted:
    """Which deliveries; None is any.

    Attributes
    ----------
    is_open
        Whether they have not arrived, and nobody said that they need not.
    """

    state: str | None = None
    destination: str | None = None
    study_instance_uid: str | None = None
    is_open: bool | None = None


def select_deliveries(wanted: Wanted) -> Select[DeliveryRow, DestinationRow, InstanceRow, str]:
    """Return the statement that joins deliveries with what they are of; in no order yet."""
    statement = (
        select(DeliveryRow, DestinationRow, InstanceRow, col(StudyRow.study_instance_uid))
        .join(DestinationRow, col(DestinationRow.id) == col(DeliveryRow.destination_id))
        .join(InstanceRow, col(InstanceRow.id) == col(DeliveryRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
    )
    if wanted.state is not None:
        statement = statement.where(col(DeliveryRow.state) == wanted.state)
    if wanted.destination is not None:
        statement = statement.where(col(DestinationRow.name) == wanted.destination)
    if wanted.study_instance_uid is not None:
        statement = statement.where(col(StudyRow.study_instance_uid) == wanted.study_instance_uid)
    if wanted.is_open is not None:
        statement = statement.where(_IS_OPEN if wanted.is_open else not_(_IS_OPEN))
    return statement


def list_newest(session: Session, wanted: Wanted, limit: int) -> Sequence[DeliveryRecord]:
    """Return at most that many deliveries, newest first."""
    statement = select_deliveries(wanted).order_by(col(DeliveryRow.id).desc()).limit(limit)
    return session.execute(statement).all()


def as_dict(record: DeliveryRecord) -> dict[str, Any]:
    """Return what lists show of a delivery."""
    row, destination, instance, study_instance_uid = record
    return {
        "id": row.id,
        "destination": destination.name,
        "report_kind": row.report_kind,
        "study_instance_uid": study_instance_uid,
        "sop_instance_uid": instance.sop_instance_uid,
        "sent_sop_class_uid": row.sent_sop_class_uid,
        "sent_sop_instance_uid": row.sent_sop_instance_uid,
        "state": row.state,
        "attempts": row.attempts,
        "error": row.error,
        "commitment": row.commitment,
        "created_at": row.created_at,
        "delivered_at": row.delivered_at,
        "committed_at": row.committed_at,
        "gave_up_at": row.gave_up_at,
        "dismissed_at": row.dismissed_at,
    }

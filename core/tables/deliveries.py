"""Deliveries: which report goes to which destination, and how far it came."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class DeliveryState(StrEnum):
    """How far a delivery came."""

    #: It will be sent, perhaps not before `available_at`.
    WAITING = "waiting"
    #: A process sends it now, or died of it.
    SENDING = "sending"
    #: The destination said that it took it.
    DELIVERED = "delivered"
    #: The destination committed to keeping it (Storage Commitment).
    COMMITTED = "committed"
    #: No attempt is left or none would help; `error` says why.
    GAVE_UP = "gave_up"


class CommitmentState(StrEnum):
    """What a destination says of keeping what it took."""

    #: It was asked, or will be.
    ASKED = "asked"
    #: It committed to keeping it.
    COMMITTED = "committed"
    #: It said that it does not keep it, cannot be asked, or never answered; `error` says which.
    NOT_COMMITTED = "not_committed"


class DeliveryRow(SQLModel, table=True):
    """One report on its way to one destination.

    `available_at` is the database's clock, seconds since 1970: when it is sent, or its commitment
    asked for, at the earliest; None where nothing is left to do. `sent_sop_class_uid` and
    `sent_sop_instance_uid` name what arrived, which is another object where a peer takes another
    class only. `attempts` begins anew, at 1, with the first arrival at a destination that is asked
    to commit: failed attempts before it are no sending again.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("destination_id", "instance_key"),
        Index("ix_deliveries_due", "destination_id", "state", "available_at"),
        Index("ix_deliveries_instance", "instance_key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    destination_id: int = Field(foreign_key="destinations.id")
    instance_key: int = Field(foreign_key="instances.id")
    report_kind: str
    state: str = DeliveryState.WAITING
    attempts: int = 0
    available_at: float | None = None
    error: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    #: When an attempt failed for the first time since it last waited without a fault.
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    gave_up_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: When somebody said that it need not arrive: it then holds no study.
    dismissed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_sop_class_uid: str | None = None
    sent_sop_instance_uid: str | None = None
    commitment: str | None = None
    commitment_requests: int = 0
    committed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeliveryCommitmentRow(SQLModel, table=True):
    """That a delivery was named in a request for commitment; an answer may come late."""

    __tablename__ = "delivery_commitments"

    transaction_uid: str = Field(primary_key=True)
    delivery_id: int = Field(foreign_key="deliveries.id", primary_key=True)

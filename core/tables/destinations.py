"""Destinations: where results are sent, and the rules that say which."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class CircuitState(StrEnum):
    """Whether a destination is sent to (the circuit breaker's words)."""

    #: It answers.
    CLOSED = "closed"
    #: It failed; nothing is sent before the pause is over.
    OPEN = "open"
    #: The pause is over; one object tries whether it answers again.
    HALF_OPEN = "half_open"


class DestinationRow(SQLModel, table=True):
    """A place results are sent to.

    `kind` names the target that sends, `address` is what that takes for one, `options` are its own
    and `learned` is what it found out about the destination. `secret` is never shown. A destination
    that was removed stays for what was delivered to it; its name is free again.
    """

    __tablename__ = "destinations"
    __table_args__ = (
        Index(
            "uq_destinations_name",
            "name",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str
    kind: str
    address: str
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)
    secret: str | None = Field(default=None, repr=False)
    learned: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)
    enabled: bool = True
    circuit: str = CircuitState.CLOSED
    #: Failures since the last success.
    failures: int = 0
    #: When it is tried again while the circuit is open; for people, the ledger holds the moment.
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_success_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
    last_error_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    added_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeliveryRuleRow(SQLModel, table=True):
    """Which results go to a destination; what is empty is true of all.

    `statuses` are those of predictions, `model` is NAME or NAME:VERSION, `laterality` R or L, and
    `report_kinds` are the kinds of report sent of such a result.
    """

    __tablename__ = "delivery_rules"

    id: int | None = Field(default=None, primary_key=True)
    destination_id: int = Field(foreign_key="destinations.id", index=True)
    statuses: list[str] = Field(default_factory=list, sa_type=JsonValue)
    model: str = ""
    laterality: str = ""
    report_kinds: list[str] = Field(default_factory=list, sa_type=JsonValue)
    added_at: datetime = Field(sa_type=UtcDateTime)

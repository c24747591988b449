"""The audit trail: entries, those that wait to be chained, and where the chain ends.

Triggers of the database (migration 0019) refuse to change or remove an entry.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class _Told(SQLModel):
    """What an entry says; no free text about a patient, who is named by the key of their row."""

    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    actor_role: str = ""
    address: str = ""
    action: str
    object_kind: str = ""
    object_id: str = ""
    patients: list[int] = Field(default_factory=list, sa_type=JsonValue)
    outcome: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)


class WaitingAuditRow(_Told, table=True):
    """An entry as it was recorded, until it has its place in the chain a moment later."""

    __tablename__ = "audit_waiting"
    # An id is a receipt: SQLite would give the same one again once the table is empty.
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)


class AuditEntryRow(_Told, table=True):
    """An entry in the chain. `number` counts from 1 without gaps.

    `receipt` is the id it waited under, None for the marker of a purge, which never waited.
    `purged_to` is set by such a marker: entries up to that number may go. `digest` is hex, over the
    canonical form of everything else and over the digest of the entry before, `previous`; `keyed`
    says that it is an HMAC.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at", "at"),
        Index("ix_audit_entries_actor", "actor"),
        Index("ix_audit_entries_action", "action"),
    )

    number: int = Field(primary_key=True)
    receipt: int | None = Field(default=None, unique=True)
    purged_to: int | None = None
    keyed: bool = False
    previous: str
    digest: str


class AuditPatientRow(SQLModel, table=True):
    """Which entries name a patient: an index of `AuditEntryRow.patients`, made from it."""

    __tablename__ = "audit_patients"

    patient_key: int = Field(primary_key=True)
    number: int = Field(primary_key=True)


class AuditHeadRow(SQLModel, table=True):
    """The last entry of the chain; its lock lets one process chain at a time."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True)
    number: int
    digest: str


class AuditCollectorRow(SQLModel, table=True):
    """How far a collector of audit messages was told; one row.

    `position` is the last entry that surely arrived, None before the first was sent. `lease_until`
    is the database's clock, seconds since 1970.
    """

    __tablename__ = "audit_collector"

    id: int = Field(primary_key=True)
    position: int | None = None
    leased_by: str = ""
    lease_until: float = 0.0

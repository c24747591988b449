"""Study summaries: what is known of the two eyes of a study, version by version."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class SummaryState(StrEnum):
    """Where a version of a summary stands."""

    #: Something came since the version before; it is not told yet.
    OPEN = "open"
    #: It tells what is there.
    SETTLED = "settled"
    #: A later version was settled.
    SUPERSEDED = "superseded"


class SettleCause(StrEnum):
    """Why a version was, or is going to be, settled."""

    #: Nothing came for a while.
    QUIET_TIME = "quiet_time"
    #: The association that brought it ended.
    ASSOCIATION_END = "association_end"
    #: An Instance Availability Notification named what is there.
    INSTANCE_AVAILABILITY = "instance_availability"
    #: The device said that its procedure step is over (MPPS).
    PROCEDURE_STEP = "procedure_step"
    #: The study was given to another patient, which its reports have to say.
    IDENTITY_CHANGED = "identity_changed"


class StudySummaryRow(SQLModel, table=True):
    """One version of what is known of a study.

    Versions count from 1; each supersedes the one before.

    `eyes` holds `core.study_eyes.Eye` as JSON, `missing` how many instances a peer named that are
    not here; numbers and eyes are of the moment it was settled, and empty while it is open.
    `due_at` is when it may be settled at the earliest; None once its job is in the ledger.
    """

    __tablename__ = "study_summaries"
    __table_args__ = (
        UniqueConstraint("study_key", "version"),
        Index("ix_study_summaries_due", "state", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    study_key: int = Field(foreign_key="studies.id")
    version: int = 1
    state: str = SummaryState.OPEN
    cause: str = SettleCause.QUIET_TIME
    opened_at: datetime = Field(sa_type=UtcDateTime)
    #: When the last of what it tells came.
    changed_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received: int = 0
    scored: int = 0
    not_assessable: int = 0
    failed: int = 0
    pending: int = 0
    not_model_input: int = 0
    missing: int = 0
    eyes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JsonValue)

"""Identity changes: what was corrected about who is who, by whom and why."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class IdentityChangeKind(StrEnum):
    """What happened; never rename a member, rows hold its value."""

    #: Name, birth date or sex of a patient were corrected.
    PATIENT_CORRECTED = "patient_corrected"
    #: A study belongs to another patient than it said.
    STUDY_MOVED = "study_moved"
    #: Two records are one person.
    PATIENTS_MERGED = "patients_merged"
    #: A change above was taken back; `undoes` names it.
    UNDONE = "undone"


class ChangeSource(StrEnum):
    """Who made a change."""

    #: A peer that sent a correction; `changed_by` is its AE title.
    PEER = "peer"
    #: Somebody with a key or at the command line.
    PERSON = "person"


class IdentityChangeRow(SQLModel, table=True):
    """One change. Rows are added, never changed.

    `patient_key` is the patient that what is named belongs to afterwards, `from_patient_key` the
    one before. `details` holds, by kind: the values before and after; or the keys of what followed.
    """

    __tablename__ = "identity_changes"
    __table_args__ = (
        Index("ix_identity_changes_patient", "patient_key", "id"),
        Index("ix_identity_changes_from", "from_patient_key", "id"),
        Index("ix_identity_changes_study", "study_key", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    patient_key: int = Field(foreign_key="patients.id")
    from_patient_key: int | None = Field(default=None, foreign_key="patients.id")
    study_key: int | None = Field(default=None, foreign_key="studies.id")
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)
    reason: str
    source: str
    changed_by: str
    changed_at: datetime = Field(sa_type=UtcDateTime)
    #: Once at most: a change is not taken back twice.
    undoes: int | None = Field(default=None, foreign_key="identity_changes.id", unique=True)

"""Models: what each installed version does on this node."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class ModelState(StrEnum):
    """What a model does."""

    #: It could score.
    INSTALLED = "installed"
    #: It scores what arrives of its kind.
    ACTIVE = "active"
    #: It scores beside the active one, and nobody sees its results as a patient's.
    SHADOW = "shadow"
    #: It was taken out of use; its predictions stay.
    RETIRED = "retired"


class ModelRow(SQLModel, table=True):
    """One version of a model, pinned to its weights; its card lies in the model store.

    `kind` is what it reads; `since` is when it came to its state, `activated_at` when it was last
    activated. `card` is what its card says, for people; None until a process that scores has read
    it.
    """

    __tablename__ = "models"
    __table_args__ = (
        Index(
            "uq_models_active",
            "kind",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    name: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    kind: str
    state: str = ModelState.INSTALLED
    since: datetime = Field(sa_type=UtcDateTime)
    activated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    card: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)

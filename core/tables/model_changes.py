"""Which model came to which state, and when: the history of what scored."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class ModelChangeRow(SQLModel, table=True):
    """One change of one model; who made it, says the audit trail."""

    __tablename__ = "model_changes"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    name: str
    version: str
    kind: str
    state: str
    state_before: str

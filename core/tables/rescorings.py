"""Rescorings: what the archive was asked to be scored with again."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class RescoringRow(SQLModel, table=True):
    """One order to score instances again; its jobs name it and carry its model by that.

    With `is_shadow` what comes out is kept beside the results, as that of a model that only
    watches. `jobs` is how many instances the order named.
    """

    __tablename__ = "rescorings"

    id: int | None = Field(default=None, primary_key=True)
    model_name: str
    model_version: str
    model_digest: str = Field(index=True)
    model_kind: str
    is_shadow: bool = False
    jobs: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)

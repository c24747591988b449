"""Reviews: what people decided about predictions, and which are asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class ReviewRow(SQLModel, table=True):
    """One decision. Rows are added, never changed: the last one holds, the others are history."""

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("prediction_id", "number"),)

    id: str = Field(primary_key=True)
    prediction_id: str = Field(foreign_key="predictions.id")
    number: int
    decision: str
    comment: str = ""
    amended: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)
    reviewer: str
    reviewed_at: datetime = Field(sa_type=UtcDateTime)


class ReviewRequestRow(SQLModel, table=True):
    """A prediction that somebody is to look at; gone once it is reviewed."""

    __tablename__ = "review_requests"

    prediction_id: str = Field(foreign_key="predictions.id", primary_key=True)
    requested_by: str
    comment: str = ""
    requested_at: datetime = Field(sa_type=UtcDateTime)

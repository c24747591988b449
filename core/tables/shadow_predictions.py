"""Shadow predictions: what a model that only watches made of a scan; never a patient's result."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class ShadowPredictionRow(SQLModel, table=True):
    """The field one shadow model estimated, or why it did not.

    No report is made of it and no list of predictions shows it. `prediction_id` is the result the
    active model gave of the same scan, to compare with; arrays are as in `predictions`.
    """

    __tablename__ = "shadow_predictions"
    __table_args__ = (
        UniqueConstraint("prediction_id", "model_digest"),
        Index("ix_shadow_predictions_newest", "model_digest", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    prediction_id: str = Field(foreign_key="predictions.id", index=True)
    model_name: str
    model_version: str
    model_digest: str = Field(index=True)
    predicted_at: datetime = Field(sa_type=UtcDateTime)
    reasons: list[dict[str, str]] = Field(default_factory=list, sa_type=JsonValue)
    sensitivities_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    lower_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    upper_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    mean_deviation_db: float | None = None

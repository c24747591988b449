"""Predictions: one row per scored instance and model."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class PredictionRow(SQLModel, table=True):
    """What `core.values.prediction.Prediction` holds, in columns.

    The unique index makes scoring safe to repeat: the same scan and weights give one answer.
    Arrays are JSON lists in the order and unit of the value; `preview_key` finds the scan's
    picture, `fundus_key` that of the fundus.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index(
            "uq_predictions_answer",
            "instance_key",
            "model_digest",
            unique=True,
            sqlite_where=text("status != 'superseded'"),
            postgresql_where=text("status != 'superseded'"),
        ),
    )

    id: str = Field(primary_key=True)
    instance_key: int = Field(foreign_key="instances.id")
    status: str = Field(index=True)
    laterality: str | None = Field(default=None, index=True)
    model_name: str
    model_version: str
    model_digest: str
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    device_serial_number: str = ""
    age_years: float | None = None
    acquired_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    predicted_at: datetime = Field(sa_type=UtcDateTime, index=True)
    quality_score: float = 0.0
    mean_sensitivity_db: float | None = None
    mean_deviation_db: float | None = Field(default=None, index=True)
    pattern_standard_deviation_db: float | None = None
    reasons: list[dict[str, str]] = Field(default_factory=list, sa_type=JsonValue)
    sensitivities_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    lower_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    upper_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    total_deviation_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    pattern_deviation_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    thickness_um: list[float] | None = Field(default=None, sa_type=JsonValue)
    layers: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    preview_key: str | None = None
    scan_kind: str | None = None
    fundus_key: str | None = None
    fundus: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    circle_course: dict[str, float] | None = Field(default=None, sa_type=JsonValue)
    notes: list[str] = Field(
        default_factory=list, sa_type=JsonValue, sa_column_kwargs={"server_default": "[]"}
    )
    superseded_by: str | None = Field(default=None, foreign_key="predictions.id")

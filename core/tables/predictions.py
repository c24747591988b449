"""Predictions: one row per scored instance and model."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime

#: The order of every list of predictions; the identifier decides between two of one moment.
_NEWEST: Final = ("predicted_at", "id")


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
        # Both end in the order of arrival, which is the one of the instances' keys.
        Index("ix_predictions_status_arrival", "status", "instance_key"),
        Index("ix_predictions_device_arrival", "manufacturer_model_name", "instance_key"),
        Index("ix_predictions_instance", "instance_key"),
        Index("ix_predictions_superseded_by", "superseded_by"),
        # What is searched for, newest first: the order of the lists.
        # It holds what ranges are asked of, too, so that walking it for a rare match is quick.
        Index(
            "ix_predictions_newest", *_NEWEST, "mean_deviation_db", "acquired_at", "manufacturer"
        ),
        Index("ix_predictions_status", "status", *_NEWEST),
        Index("ix_predictions_laterality", "laterality", *_NEWEST),
        Index("ix_predictions_model", "model_name", *_NEWEST),
        Index("ix_predictions_model_version", "model_name", "model_version", *_NEWEST),
        Index("ix_predictions_device_model", "manufacturer_model_name", *_NEWEST),
        Index("ix_predictions_device", "device_serial_number", *_NEWEST),
        # All that the figures by month need, so that no row with its arrays is read for them.
        Index(
            "ix_predictions_months",
            "acquired_at",
            "predicted_at",
            "status",
            "manufacturer",
            "manufacturer_model_name",
            "device_serial_number",
            "model_name",
            "model_version",
            "quality_score",
            "mean_deviation_db",
            "rnfl_mean_um",
        ),
    )

    id: str = Field(primary_key=True)
    instance_key: int = Field(foreign_key="instances.id")
    status: str
    laterality: str | None = None
    model_name: str
    model_version: str
    model_digest: str
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    device_serial_number: str = ""
    age_years: float | None = None
    acquired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    predicted_at: datetime = Field(sa_type=UtcDateTime)
    quality_score: float = 0.0
    mean_sensitivity_db: float | None = None
    mean_deviation_db: float | None = None
    pattern_standard_deviation_db: float | None = None
    reasons: list[dict[str, str]] = Field(default_factory=list, sa_type=JsonValue)
    sensitivities_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    lower_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    upper_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    total_deviation_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    pattern_deviation_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    thickness_um: list[float] | None = Field(default=None, sa_type=JsonValue)
    #: Mean of `thickness_um`.
    rnfl_mean_um: float | None = None
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

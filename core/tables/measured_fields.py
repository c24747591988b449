"""Measured fields: what perimeters found, beside our estimates."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class MeasuredFieldRow(SQLModel, table=True):
    """What `core.values.measured_field.MeasuredField` holds, in columns.

    `source_key` makes reading safe to repeat: the SOP Instance UID or, of a CSV row, the key of the
    patient it names and its digest.
    `sensitivities_db` are the 52 places of the 24-2 in right-eye order, null where they are not all
    there.
    """

    __tablename__ = "measured_fields"
    __table_args__ = (Index("ix_measured_fields_eye", "patient_key", "laterality", "measured_at"),)

    id: int | None = Field(default=None, primary_key=True)
    patient_key: int = Field(foreign_key="patients.id")
    instance_key: int | None = Field(default=None, foreign_key="instances.id", index=True)
    source: str
    source_key: str = Field(unique=True)
    laterality: str
    pattern: str
    strategy: str = ""
    measured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    age_years: float | None = None
    sensitivities_db: list[float] | None = Field(default=None, sa_type=JsonValue)
    points: list[dict[str, Any]] = Field(sa_type=JsonValue)
    mean_deviation_db: float | None = None
    pattern_standard_deviation_db: float | None = None
    visual_field_index_percent: float | None = None
    glaucoma_hemifield_test: str = ""
    foveal_sensitivity_db: float | None = None
    reliability: dict[str, Any] = Field(sa_type=JsonValue)

"""Series."""

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.columns import EMPTY


class SeriesRow(SQLModel, table=True):
    """A series; attributes as its first instance gave them.

    Of Request Attributes Sequence (0040,0275) the identifiers of all items, joined by backslashes.
    """

    __tablename__ = "series"
    __table_args__ = (Index("ix_series_modality", "modality", "study_key"),)

    id: int | None = Field(default=None, primary_key=True)
    study_key: int = Field(foreign_key="studies.id", index=True)
    series_instance_uid: str = Field(unique=True)
    modality: str = ""
    series_number: str = ""
    series_description: str = ""
    laterality: str = ""
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    device_serial_number: str = ""
    series_date: date | None = None
    series_time: str = Field(default="", sa_column_kwargs=EMPTY)
    step_start_date: date | None = None
    step_start_time: str = Field(default="", sa_column_kwargs=EMPTY)
    scheduled_procedure_step_ids: str = Field(default="", sa_column_kwargs=EMPTY)
    requested_procedure_ids: str = Field(default="", sa_column_kwargs=EMPTY)

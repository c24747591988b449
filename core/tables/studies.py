"""Studies."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class StudyRow(SQLModel, table=True):
    """A study; attributes as its first instance gave them."""

    __tablename__ = "studies"

    id: int | None = Field(default=None, primary_key=True)
    patient_key: int = Field(foreign_key="patients.id", index=True)
    study_instance_uid: str = Field(unique=True)
    study_id: str = ""
    accession_number: str = Field(default="", index=True)
    study_date: date | None = Field(default=None, index=True)
    study_time: str = ""
    study_description: str = ""
    referring_physician_name: str = ""
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)

"""Patients."""

from datetime import date

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class PatientRow(SQLModel, table=True):
    """A patient, unique by Patient ID and issuer; `issuer` is empty where the study names none."""

    __tablename__ = "patients"
    __table_args__ = (UniqueConstraint("patient_id", "issuer"),)

    id: int | None = Field(default=None, primary_key=True)
    patient_id: str
    issuer: str = ""
    name: str = Field(default="", index=True)
    birth_date: date | None = None
    sex: str | None = None

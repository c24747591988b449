"""Patients."""

from datetime import date

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from core.tables.columns import EMPTY, pattern_index


class PatientRow(SQLModel, table=True):
    """A patient, unique by Patient ID and issuer; `issuer` is empty where the study names none.

    `name_alphabetic`, `name_ideographic` and `name_phonetic` are the groups of the name in the form
    they are searched in (`core.values.person_name`). Where two records were found to be one person,
    one of them holds nothing any more and stays for its Patient ID: its `merged_into` is the key of
    the other, which is never merged itself.
    """

    __tablename__ = "patients"
    __table_args__ = (
        UniqueConstraint("patient_id", "issuer"),
        pattern_index("patients", "patient_id"),
        pattern_index("patients", "name_alphabetic"),
        pattern_index("patients", "name_ideographic"),
        pattern_index("patients", "name_phonetic"),
        Index("ix_patients_birth_date", "birth_date"),
        # Of the few it holds for: for all others SQLite would take it for the better index.
        Index(
            "ix_patients_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    patient_id: str
    issuer: str = ""
    name: str = Field(default="", index=True)
    name_alphabetic: str = Field(default="", sa_column_kwargs=EMPTY)
    name_ideographic: str = Field(default="", sa_column_kwargs=EMPTY)
    name_phonetic: str = Field(default="", sa_column_kwargs=EMPTY)
    birth_date: date | None = None
    sex: str | None = None
    merged_into: int | None = None

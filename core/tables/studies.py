"""Studies."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import EMPTY, UtcDateTime, pattern_index


class StudyRow(SQLModel, table=True):
    """A study; attributes as its first instance gave them.

    `referring_physician_folded` is the name in the form it is searched in. `named_patient_key` is
    the patient its objects name, where the record knows better whose it is.
    """

    __tablename__ = "studies"
    __table_args__ = (
        pattern_index("studies", "accession_number"),
        pattern_index("studies", "study_id"),
        pattern_index("studies", "referring_physician_folded"),
    )

    id: int | None = Field(default=None, primary_key=True)
    patient_key: int = Field(foreign_key="patients.id", index=True)
    study_instance_uid: str = Field(unique=True)
    study_id: str = ""
    accession_number: str = Field(default="", index=True)
    study_date: date | None = Field(default=None, index=True)
    study_time: str = ""
    study_description: str = ""
    referring_physician_name: str = ""
    referring_physician_folded: str = Field(default="", sa_column_kwargs=EMPTY)
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
    named_patient_key: int | None = None

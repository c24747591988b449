"""Summary reports: which instance tells which version of a study's summary."""

from sqlmodel import Field, SQLModel


class SummaryReportRow(SQLModel, table=True):
    """A report of both eyes, kept as an instance of the same study."""

    __tablename__ = "summary_reports"

    summary_key: int = Field(foreign_key="study_summaries.id", primary_key=True)
    kind: str = Field(primary_key=True)
    instance_key: int = Field(foreign_key="instances.id", unique=True)

"""Reports: which instance tells which prediction."""

from sqlmodel import Field, SQLModel


class ReportRow(SQLModel, table=True):
    """A report of a prediction, kept as an instance of the same study."""

    __tablename__ = "reports"

    prediction_id: str = Field(foreign_key="predictions.id", primary_key=True)
    kind: str = Field(primary_key=True)
    #: 0 is what was estimated; then one for each review, by its number.
    version: int = Field(default=0, primary_key=True, sa_column_kwargs={"server_default": "0"})
    instance_key: int = Field(foreign_key="instances.id", unique=True)

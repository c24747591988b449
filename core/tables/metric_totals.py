"""Metric totals: what was counted since the node began to count."""

from sqlmodel import Field, SQLModel


class MetricTotalRow(SQLModel, table=True):
    """One series of a metric that only grows.

    `labels` are the values of its labels in their order, as a JSON list; of a histogram the last
    one is the upper limit of a bucket, and each bucket counts what it alone holds.
    """

    __tablename__ = "metric_totals"

    name: str = Field(primary_key=True)
    labels: str = Field(primary_key=True)
    value: float = 0.0

"""Jobs that clients of the Watson-compatible API gave to a deployment, for some days."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class DeploymentJobState(StrEnum):
    """Where a job stands, in the words of that API."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class DeploymentJobRow(SQLModel, table=True):
    """One job.

    `request` is what it was asked, its `scoring` as JSON, and `predictions` what came of it; both
    compressed by zlib. Tensors name nobody; `names_studies` says that it was given stored studies.
    `failure` says why it failed, its code first.
    """

    __tablename__ = "deployment_jobs"

    id: str = Field(primary_key=True)
    name: str
    deployment_id: str = Field(index=True)
    model_name: str
    model_version: str
    hardware: str
    request: bytes
    names_studies: bool = False
    state: str = Field(default=DeploymentJobState.QUEUED, index=True)
    predictions: bytes | None = None
    failure_code: str = ""
    failure: str = ""
    #: Of `request` and `predictions`, bytes.
    size_bytes: int
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)
    running_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)

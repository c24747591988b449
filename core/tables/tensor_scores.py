"""Tensors somebody sent to be scored, and what a model said of them, for as long as it is asked."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class TensorScoreStatus(StrEnum):
    """Where a question stands."""

    #: No process that scores has answered yet.
    WAITING = "waiting"
    #: The answer is there.
    ANSWERED = "answered"
    #: The model does not take such tensors, or there is no such model.
    REFUSED = "refused"
    #: Scoring stopped; asking again may help.
    FAILED = "failed"


class TensorScoreRow(SQLModel, table=True):
    """One question: some eyes, and the model that is asked.

    Nothing of it is a patient's: who asks keeps to himself whose eyes they are. Arrays are float32,
    little-endian, in the order of C: `structure` (rows, whatever the model reads), `age_years`
    (rows,), `sensitivities_db` (rows, 52), `spread_db` (rows, 52, 2). `unfit` says which rows the
    model must not score, and why. Removed some time after `keep_until`.
    """

    __tablename__ = "tensor_scores"

    id: str = Field(primary_key=True)
    model_name: str
    model_version: str
    rows: int
    structure: bytes
    age_years: bytes
    status: str = Field(default=TensorScoreStatus.WAITING, index=True)
    sensitivities_db: bytes | None = None
    spread_db: bytes | None = None
    unfit: list[dict[str, str | int]] = Field(default_factory=list, sa_type=JsonValue)
    error: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    keep_until: datetime = Field(sa_type=UtcDateTime, index=True)

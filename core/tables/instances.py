"""Instances: what is kept, and how its scoring ended."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from core.tables.columns import EMPTY, ByteCount, UtcDateTime


class InstanceOrigin(StrEnum):
    """Where an instance came from."""

    #: A peer sent it.
    RECEIVED = "received"
    #: We made it: a report.
    PRODUCED = "produced"


class InstanceOutcome(StrEnum):
    """How the analysis of an instance ended."""

    #: Its analyse job has not finished.
    PENDING = "pending"
    #: There is a prediction, final or not.
    PREDICTED = "predicted"
    #: A good object that no active model takes.
    NOT_MODEL_INPUT = "not_model_input"
    #: One of our own reports.
    REPORT = "report"


class RemovalReason(StrEnum):
    """Why retention removed the bytes of an instance."""

    #: Its study was kept for as long as the setting says.
    AGE = "age"
    #: The archive was larger than the setting allows, and its study was the oldest.
    SIZE = "size"


class InstanceRow(SQLModel, table=True):
    """A SOP instance kept in storage.

    `storage_key` finds the bytes, `digest` is the SHA-256 of the encoded data set as received, hex.
    `outcome_message` tells people why a good object was not scored; else it is empty. Where
    `bytes_removed_at` is set, the row is all that is left.

    What follows `number_of_frames` is for queries only, and empty where the object was kept before
    it was read; `concept_name` is the title of a document: code, scheme and meaning, joined by
    backslashes.
    """

    __tablename__ = "instances"
    __table_args__ = (Index("ix_instances_sop_class_uid", "sop_class_uid", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    series_key: int = Field(foreign_key="series.id", index=True)
    sop_instance_uid: str = Field(unique=True)
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: str = ""
    digest: str
    size_bytes: int = Field(sa_type=ByteCount)
    storage_key: str
    calling_ae_title: str = ""
    origin: str = InstanceOrigin.RECEIVED
    outcome: str = InstanceOutcome.PENDING
    outcome_message: str = Field(default="", sa_column_kwargs={"server_default": ""})
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
    #: When the same content last came once more: its age counts from then.
    sent_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    bytes_removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    removal_reason: str | None = None
    number_of_frames: int | None = None
    pixel_rows: int | None = None
    pixel_columns: int | None = None
    content_date: date | None = None
    content_time: str = Field(default="", sa_column_kwargs=EMPTY)
    completion_flag: str = Field(default="", sa_column_kwargs=EMPTY)
    verification_flag: str = Field(default="", sa_column_kwargs=EMPTY)
    concept_name: str = Field(default="", sa_column_kwargs=EMPTY)

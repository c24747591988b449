"""Discarded files: what no row needs any more and the disk still holds."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class FilePlace(StrEnum):
    """Which of the node's folders a file lies in."""

    INSTANCES = "instances"
    QUARANTINE = "quarantine"


class DiscardedFileRow(SQLModel, table=True):
    """A file to remove.

    Written in the transaction that takes its last row away, gone once the file is: whatever a crash
    leaves on the disk is found here.
    """

    __tablename__ = "discarded_files"

    place: str = Field(primary_key=True)
    storage_key: str = Field(primary_key=True)
    discarded_at: datetime = Field(sa_type=UtcDateTime)

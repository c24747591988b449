"""Quarantine: objects we could not take in, kept where someone can look at them."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import ByteCount, UtcDateTime


class QuarantineRow(SQLModel, table=True):
    """An object kept aside, with its cause. `storage_key` finds the bytes under `quarantine/`.

    Where `size_bytes` is 0 it was refused before its bytes were kept, and stands for all like it.
    `dismissed_at` is when somebody said that it needs no more attention. It lies there all the
    same; what comes again is shown again.
    """

    __tablename__ = "quarantine"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(index=True)
    message: str
    calling_ae_title: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    storage_key: str
    size_bytes: int = Field(sa_type=ByteCount)
    digest: str = Field(index=True)
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
    dismissed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dismissed_by: str | None = None

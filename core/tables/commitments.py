"""Commitments: the storage commitment requests of peers, and how they were answered."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class CommitmentRow(SQLModel, table=True):
    """One list of objects a peer asked us to commit to keeping.

    `number` is 1 for the first list under a Transaction UID; another list under the same one gets
    the next and is answered as a duplicate. `instances` holds pairs of SOP class and instance UID.
    """

    __tablename__ = "commitments"
    __table_args__ = (UniqueConstraint("calling_ae_title", "transaction_uid", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    calling_ae_title: str
    #: Where it asked from: there it is called back where its peer row names no single host.
    calling_address: str
    transaction_uid: str
    number: int = 1
    instances: list[list[str]] = Field(sa_type=JsonValue)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    #: When the peer took the event report; None as long as it did not.
    reported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: How many of the instances were reported as not committed.
    failed_count: int | None = None

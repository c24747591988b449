"""Webhooks: who is told of changes, and how far each was told."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class WebhookRow(SQLModel, table=True):
    """A subscription with its position in the feed, which one process at a time may move.

    `lease_until` and `available_at` are the database's clock, seconds since 1970. The secret is
    kept as it is: each message is signed with it.
    """

    __tablename__ = "webhooks"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    url: str
    #: Kinds of change that are told; empty: all.
    kinds: list[str] = Field(sa_type=JsonValue)
    secret: str
    enabled: bool = True
    #: Number of the last change that was told, or needed no telling.
    position: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    available_at: float = 0.0
    lease_until: float = 0.0
    leased_by: str = ""
    is_test_asked: bool = False
    delivered: int = 0
    last_delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: Attempts that failed since the last success, since when, and why the last one did.
    failures: int = 0
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str = ""

"""Wrong keys and logins, counted by the address they came from."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class LoginFailureRow(SQLModel, table=True):
    """An address that showed wrong keys, and until when it may show no other."""

    __tablename__ = "login_failures"

    address: str = Field(primary_key=True)
    failures: int
    first_failed_at: datetime = Field(sa_type=UtcDateTime)
    last_failed_at: datetime = Field(sa_type=UtcDateTime)
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)

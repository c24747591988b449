"""API keys."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import JsonValue, UtcDateTime


class KeyRow(SQLModel, table=True):
    """An API key, of which only the SHA-256 is kept, hex."""

    __tablename__ = "keys"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    digest: str = Field(unique=True)
    #: At least one.
    roles: list[str] = Field(sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    #: From then on it is refused; None for never.
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    #: To within minutes, and from which address; it is not written at each use.
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_from: str = ""
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

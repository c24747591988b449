"""API keys."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class KeyRow(SQLModel, table=True):
    """An API key, of which only the SHA-256 is kept, hex."""

    __tablename__ = "keys"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    digest: str = Field(unique=True)
    role: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

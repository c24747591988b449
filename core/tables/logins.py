"""Logins: one-time links and browser sessions, of which only the SHA-256 is kept, hex."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class LoginTokenRow(SQLModel, table=True):
    """A one-time link to the pages; worthless once used or after `expires_at`."""

    __tablename__ = "login_tokens"

    digest: str = Field(primary_key=True)
    role: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BrowserSessionRow(SQLModel, table=True):
    """A browser that is signed in.

    `key_id` is the API key it signed in with, so that revoking the key ends the session; None where
    it came by a one-time link.
    """

    __tablename__ = "browser_sessions"

    digest: str = Field(primary_key=True)
    key_id: int | None = Field(default=None, foreign_key="keys.id", index=True)
    role: str
    expires_at: datetime = Field(sa_type=UtcDateTime)

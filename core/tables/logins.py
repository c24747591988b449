"""Logins: one-time links and browser sessions, of which only the SHA-256 is kept, hex."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import EMPTY, JsonValue, UtcDateTime


class LoginTokenRow(SQLModel, table=True):
    """A one-time link to the pages; worthless once used or after `expires_at`.

    `key_id` is the key whose holder it signs in; None for one that signs in nobody in particular,
    or makes the first administrator.
    """

    __tablename__ = "login_tokens"

    digest: str = Field(primary_key=True)
    roles: list[str] = Field(sa_type=JsonValue)
    key_id: int | None = Field(default=None, foreign_key="keys.id", index=True)
    makes_administrator: bool = False
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BrowserSessionRow(SQLModel, table=True):
    """A browser that is signed in.

    `key_id` is the API key it signed in with, so that revoking the key ends the session. Without
    one it came by a one-time link, or by the OpenID provider: then `subject` tells who, of which
    `name` is what people call them, and `roles_read_at` when their roles were last asked for. With
    `refresh_token`, encrypted with the cookie, they are asked for again; empty where there is none.

    A token of the Watson-compatible API is kept here, too: no browser has it, so `seen_at` is 1970.
    """

    __tablename__ = "browser_sessions"

    digest: str = Field(primary_key=True)
    key_id: int | None = Field(default=None, foreign_key="keys.id", index=True)
    name: str = ""
    subject: str = Field(default="", index=True)
    roles: list[str] = Field(sa_type=JsonValue)
    refresh_token: str = Field(default="", sa_column_kwargs=EMPTY)
    roles_read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    started_at: datetime = Field(sa_type=UtcDateTime)
    #: To within a minute.
    seen_at: datetime = Field(sa_type=UtcDateTime)
    #: However much it is used.
    expires_at: datetime = Field(sa_type=UtcDateTime)


class ProviderLoginRow(SQLModel, table=True):
    """Someone who was sent to the OpenID provider and has not come back yet.

    `state` is the SHA-256 of the state that is sent along, hex, and `browser` that of the cookie
    of the browser that must bring it back.
    """

    __tablename__ = "provider_logins"

    state: str = Field(primary_key=True)
    browser: str
    nonce: str
    code_verifier: str
    expires_at: datetime = Field(sa_type=UtcDateTime)


class SignedOutRow(SQLModel, table=True):
    """Who signed out everywhere: tokens of the provider from before then are refused."""

    __tablename__ = "signed_out"

    subject: str = Field(primary_key=True)
    signed_out_at: datetime = Field(sa_type=UtcDateTime)

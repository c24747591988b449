"""Peers: the application entities we know, and the callers we refused."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.tables.columns import UtcDateTime


class PeerRow(SQLModel, table=True):
    """An application entity that may call us, from `host`.

    `host` is an address or a network in CIDR notation; `*` admits the AE title from anywhere.
    `certificate_sha256`, in hexadecimal, admits it over TLS with that certificate only.
    `tls` says that we call it over TLS.
    `expect_every_seconds` and `expect_days` are its rhythm (core.rhythm); `silent_since` is when it
    was found to keep it no more.
    """

    __tablename__ = "peers"

    ae_title: str = Field(primary_key=True)
    host: str
    port: int | None = None
    description: str = ""
    certificate_sha256: str | None = None
    tls: bool = False
    expect_every_seconds: int | None = None
    expect_days: str = Field(default="", sa_column_kwargs={"server_default": ""})
    silent_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    added_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PeerEchoRow(SQLModel, table=True):
    """The last time somebody asked whether a peer answers, and what came of it.

    While `finished_at` is None nobody has asked it yet. `seconds` is how long its answer took,
    `error` why there was none; one of them is None.
    """

    __tablename__ = "peer_echoes"

    ae_title: str = Field(primary_key=True)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: str
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seconds: float | None = None
    error: str | None = None


class RefusedCallerRow(SQLModel, table=True):
    """A caller whose association was rejected, how often and why."""

    __tablename__ = "refused_callers"

    calling_ae_title: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    called_ae_title: str = Field(primary_key=True)
    reason: str
    count: int = 1
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)

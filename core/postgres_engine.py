"""Connections to PostgreSQL: how many, and how long anything may wait or be silent on them."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import create_engine

#: How long a statement waits for a lock, on either database.
LOCK_SECONDS: Final = 15
#: A host that dies in a transaction would hold the change counter, and with it every other one,
#: until the server's TCP gives it up after hours; idle longer than this, the server ends it.
_IDLE_IN_TRANSACTION_SECONDS: Final = 60
#: The same on our side: a server that vanished without a word is given up after this.
_SILENCE_SECONDS: Final = 15
#: What every connection is made with, those that only listen, too.
CONNECTION: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "tcp_user_timeout": _SILENCE_SECONDS * 1000,
    "keepalives_idle": _SILENCE_SECONDS,
    "keepalives_interval": _SILENCE_SECONDS // 3,
    "fallback_application_name": "arcuate",
}


@dataclass(frozen=True)
class PostgresLimits:
    """What one process may take of a server that others share.

    Attributes
    ----------
    pool_size, pool_overflow
        Connections kept open, and how many more where those are in use; those that need not wait
        for the disk are counted apart, with the same limits.
    statement_seconds
        Longest statement; 0 for no limit.
    """

    pool_size: int = 5
    pool_overflow: int = 10
    statement_seconds: float = 0.0


def open_postgresql(url: str, limits: PostgresLimits, *, is_synced: bool = True) -> Engine:
    """Return the engine of a server; commits wait for its disk unless told otherwise."""
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=limits.pool_size,
        max_overflow=limits.pool_overflow,
        hide_parameters=True,
        connect_args=CONNECTION,
    )
    event.listen(engine, "connect", partial(_configure, is_synced, limits.statement_seconds))
    return engine


def _configure(
    is_synced: bool, statement_seconds: float, connection: Any, _entry: ConnectionPoolEntry
) -> None:
    connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    idle = f"'{_IDLE_IN_TRANSACTION_SECONDS}s'"
    connection.execute(f"SET idle_in_transaction_session_timeout = {idle}")
    if statement_seconds:
        connection.execute(f"SET statement_timeout = {round(statement_seconds * 1000)}")
    if not is_synced:
        connection.execute("SET synchronous_commit = off")
    # A rollback would take the settings back.
    connection.commit()

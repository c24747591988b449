"""Waiting for new work without asking the ledger all the time."""

import time
from typing import Any, Final, Protocol

import psycopg

from core.database import Database, sqlite_module
from core.ledger import NOTIFY_CHANNEL

#: How often an SQLite file is asked whether it changed; costs under half a percent of a core.
POLL_SECONDS: Final = 0.02


class Wakeup(Protocol):
    """Wakes a worker when jobs may have come."""

    def wait(self, timeout_seconds: float) -> None:
        """Return when the record changed, or after the time-out at the latest."""

    def close(self) -> None:
        """Close its connection."""


def open_wakeup(database: Database, channel: str = NOTIFY_CHANNEL) -> Wakeup:
    """Return the way this database announces new jobs, or whatever a channel of its announces."""
    return SqliteWakeup(database) if database.is_sqlite else PostgresWakeup(database, channel)


class SqliteWakeup:
    """Watches `PRAGMA data_version`, which changes when another connection commits."""

    def __init__(self, database: Database) -> None:
        self._connection: Any = sqlite_module().connect(
            str(database.url.database), check_same_thread=False
        )
        self._version = self._read_version()

    def wait(self, timeout_seconds: float) -> None:
        """Return when another connection committed, or after the time-out."""
        deadline = time.monotonic() + timeout_seconds
        while (version := self._read_version()) == self._version and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        self._version = version

    def close(self) -> None:
        """Close the watching connection."""
        self._connection.close()

    def _read_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class PostgresWakeup:
    """Listens for the notifications of a channel: the ledger sends one with each new job."""

    def __init__(self, database: Database, channel: str = NOTIFY_CHANNEL) -> None:
        self._channel = channel
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._url = url
        self._connection: psycopg.Connection | None = None

    def wait(self, timeout_seconds: float) -> None:
        """Return at a notification, or after the time-out; reconnects by itself."""
        try:
            for _ in self._listening().notifies(timeout=timeout_seconds, stop_after=1):
                pass
        except psycopg.OperationalError:
            # The worker's own transactions meet the same outage; here only a wait is lost.
            self.close()
            time.sleep(timeout_seconds)

    def close(self) -> None:
        """Close the listening connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listening(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
            self._connection.execute(f"LISTEN {self._channel}")
        return self._connection

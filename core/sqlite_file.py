"""Notices that the file of a SQLite database went away, or another one stands in its place.

A connection goes on writing into a file that was moved or unlinked, and what it commits is lost; a
new one makes an empty database where it finds none.
"""

from pathlib import Path
from threading import Event
from typing import Any, Final

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

_IDENTITY: Final = "file"


def guard_sqlite_file(engine: Engine, path: Path) -> None:
    """Let connections be used only while their file is the one under the database's name.

    The first connection may make the file; later ones may not.
    """
    has_connected = Event()

    def refuse_to_make(dialect: Dialect, *_arguments: Any) -> None:
        if has_connected.is_set() and _identity(path) is None:
            raise dialect.loaded_dbapi.OperationalError("the database file is not there")

    def remember(_connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDENTITY] = _identity(path)
        has_connected.set()

    def compare(_connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        if entry.info[_IDENTITY] != _identity(path):
            raise DisconnectionError("another database file, or none")

    event.listen(engine, "do_connect", refuse_to_make)
    event.listen(engine, "connect", remember)
    event.listen(engine, "checkout", compare)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino

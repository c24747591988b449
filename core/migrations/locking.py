"""Changing the schema of a PostgreSQL that others use: one at a time, and never for long.

A change waits for the lock of its table, and whoever comes after waits behind it. So it waits a
moment only, lets the others pass, and tries again.
"""

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from core.errors import InfrastructureError

#: How long a change waits for its table, while everybody waits behind it.
LOCK_SECONDS: Final = 3.0
#: How long it lets the others pass.
PAUSE_SECONDS: Final = 2.0
_TRIES: Final = 60
#: How long one process waits for another that migrates; a large index may take long.
_TURN_SECONDS: Final = 3600.0
#: Names the advisory lock of whoever migrates: any number nobody else takes.
_LOCK_NUMBER: Final = 0x6172_6375
_LOCK_NOT_AVAILABLE: Final = "55P03"


class MigrationHeldUp(InfrastructureError):
    """Another transaction held a table all the time: end it (`pg_stat_activity`), try again."""


class MigrationUnderway(InfrastructureError):
    """Another process has been migrating this database for an hour: look after that one."""


def take_turn(connection: Connection) -> None:
    """Be the only one that migrates until the connection closes.

    Raises
    ------
    MigrationUnderway
        If another one does not end.
    """
    # Asked again and again: a waiting statement would hold up the building of an index.
    deadline = time.monotonic() + _TURN_SECONDS
    statement = text("SELECT pg_try_advisory_lock(:number)")
    while not connection.execute(statement, {"number": _LOCK_NUMBER}).scalar_one():
        connection.commit()
        if time.monotonic() > deadline:
            raise MigrationUnderway
        time.sleep(PAUSE_SECONDS)
    connection.commit()


def set_lock_seconds(connection: Connection, seconds: float) -> None:
    """Let statements of this connection wait that long for a lock; 0 for ever."""
    connection.exec_driver_sql(f"SET lock_timeout = {round(seconds * 1000)}")


def change_patiently(connection: Connection, change: Callable[[], None]) -> None:
    """Make a change that can be made again; where a table is held, let the others pass.

    Raises
    ------
    MigrationHeldUp
        If the table was held each time.
    """
    set_lock_seconds(connection, LOCK_SECONDS)
    connection.commit()
    for _ in range(_TRIES):
        try:
            change()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            connection.rollback()
            time.sleep(PAUSE_SECONDS)
        else:
            return
    raise MigrationHeldUp

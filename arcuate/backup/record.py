"""The record as one file: of one moment while the node works, and loaded into an empty database.

SQLite by its back-up interface, PostgreSQL by its own `pg_dump` and `pg_restore`.
"""

import os
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from shutil import copyfile, which
from typing import Any, Final

from sqlalchemy import URL, create_engine, inspect, text

from arcuate.backup.contents import recorded_files
from arcuate.backup.errors import BackupElsewhere, BackupIncomplete, DatabaseToolFailed
from core.database import Database, sqlite_module

#: Names of the copies, by the kind of database.
COPIES: Final = {"sqlite": "record.sqlite", "postgresql": "record.dump"}


def kind_of(database: Database) -> str:
    """Return `sqlite` or `postgresql`."""
    return "sqlite" if database.is_sqlite else "postgresql"


def copy_record(database: Database, target: Path) -> set[str]:
    """Write what the record holds at this moment; return the files that it names then.

    Raises
    ------
    DatabaseToolFailed
        If `pg_dump` is missing or fails.
    """
    copy = _copy_sqlite if database.is_sqlite else _copy_postgresql
    return copy(database, target)


def load_record(database: Database, source: Path) -> None:
    """Put a copy into a database that is empty.

    Raises
    ------
    BackupElsewhere
        If it is not.
    BackupIncomplete, DatabaseToolFailed
        If the copy is damaged, or `pg_restore` is missing or fails.
    """
    if inspect(database.engine).get_table_names():
        raise BackupElsewhere("The database is not empty: restore into a new one")
    if database.is_sqlite:
        _load_sqlite(database, source)
        return
    words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run("pg_restore", database.url, [*words, str(source)])


def _copy_sqlite(database: Database, target: Path) -> set[str]:
    sqlite = sqlite_module()
    with (
        closing(sqlite.connect(str(database.url.database))) as source,
        closing(sqlite.connect(str(target))) as copy,
    ):
        # All pages in one go: one state of the file, which writers need not wait for under WAL.
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    engine = create_engine(f"sqlite:///{target}", module=sqlite)
    with engine.connect() as connection:
        named = set(recorded_files(connection))
    engine.dispose()
    return named


def _copy_postgresql(database: Database, target: Path) -> set[str]:
    with database.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        named = set(recorded_files(connection))
        words = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
        _run("pg_dump", database.url, [*words, f"--file={target}"])
    return named


def _load_sqlite(database: Database, source: Path) -> None:
    # The file that looking at it has made.
    database.close()
    path = Path(str(database.url.database))
    path.unlink(missing_ok=True)
    copyfile(source, path)
    with closing(sqlite_module().connect(str(path))) as loaded:
        (found,) = loaded.execute("PRAGMA integrity_check").fetchone()
    if found != "ok":
        raise BackupIncomplete(f"{source.name} is damaged: SQLite finds {found}")


def _run(program: str, url: URL, words: Sequence[str]) -> None:
    if which(program) is None:
        raise DatabaseToolFailed(f"{program} is missing: install the PostgreSQL client programs")
    # Without the password, which anyone on this machine could read in the list of processes.
    shown = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment: dict[str, Any] = {**os.environ}
    if url.password is not None:
        environment["PGPASSWORD"] = url.password
    ended = subprocess.run(  # noqa: S603 - PostgreSQL's own program and our own words
        [program, f"--dbname={shown}", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        # The first line: what follows it can quote rows.
        cause = next(iter(ended.stderr.splitlines()), "it said nothing")
        raise DatabaseToolFailed(f"{program} failed: {cause}")

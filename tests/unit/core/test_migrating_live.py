"""The schema of a PostgreSQL is changed while others use it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import text

from core.database import Database
from core.migrations import locking
from core.migrations.indexes import create_index_live, drop_index_live
from core.migrations.locking import MigrationHeldUp
from core.migrations.schema import _config, migrate, schema_is_current


@pytest.fixture(params=["postgresql"])
def database_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """Whoever changes a SQLite file has it alone."""
    return database_url


#: The migration after it changes the table that is held here.
_BEFORE = "0025"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(locking, "PAUSE_SECONDS", 0.05)


@contextmanager
def _holding(database: Database, statement: str) -> Iterator[psycopg.Connection]:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as other:
        other.execute(statement)
        yield other
        other.rollback()


def _step_back(database: Database) -> None:
    with database.engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, _BEFORE)
        connection.commit()


@pytest.mark.usefixtures("impatient")
def test_a_held_table_is_waited_for_without_holding_up_those_behind(database: Database) -> None:
    _step_back(database)
    migrating = threading.Thread(target=migrate, args=(database,))
    with _holding(database, "LOCK TABLE predictions IN SHARE MODE"):
        migrating.start()
        # Behind a change that waited on, this would wait until it had its turn.
        with database.reading() as session:
            session.execute(text("SELECT count(*) FROM predictions"))
        assert not schema_is_current(database)
    migrating.join(60)

    assert schema_is_current(database)


@pytest.mark.usefixtures("impatient")
def test_a_table_that_is_never_let_go_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "_TRIES", 2)
    _step_back(database)

    with (
        _holding(database, "LOCK TABLE predictions IN SHARE MODE"),
        pytest.raises(MigrationHeldUp),
    ):
        migrate(database)


@pytest.mark.usefixtures("impatient")
def test_processes_that_migrate_take_turns(database: Database) -> None:
    _step_back(database)
    number = locking._LOCK_NUMBER
    second = threading.Thread(target=migrate, args=(database,))
    with _holding(database, f"SELECT pg_advisory_lock({number})") as first:
        first.commit()
        second.start()
        second.join(0.5)
        waited = second.is_alive() and not schema_is_current(database)
    second.join(60)

    assert waited
    assert schema_is_current(database)


def test_an_index_is_built_while_others_write(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with (
            _holding(database, "LOCK TABLE jobs IN ROW EXCLUSIVE MODE"),
            pytest.raises(psycopg.errors.LockNotAvailable),
            _holding(database, "SET lock_timeout = 50") as other,
        ):
            # What an ordinary index would have to wait for.
            other.execute("CREATE INDEX ix_jobs_worker ON jobs (worker)")
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            create_index_live("ix_jobs_worker", "jobs", ["worker"])
            # Again, as after one that was interrupted.
            create_index_live("ix_jobs_worker", "jobs", ["worker"])
            valid = connection.execute(_IS_VALID).scalar_one()
            drop_index_live("ix_jobs_worker", "jobs")

    assert valid


_IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_jobs_worker'::regclass")

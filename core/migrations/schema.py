"""Bringing a database to the schema this version needs."""

from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from core.database import Database
from core.migrations.locking import change_patiently, take_turn


def migrate(database: Database) -> None:
    """Create or upgrade the schema; does nothing where it is current.

    On PostgreSQL others may go on meanwhile, and those that migrate, too, take turns.

    Raises
    ------
    MigrationHeldUp, MigrationUnderway
        If a table is held by another transaction, or another process does not finish migrating.
    """
    with database.engine.connect() as connection:
        if database.is_sqlite:
            _upgrade(connection)
            return
        try:
            take_turn(connection)
            change_patiently(connection, partial(_upgrade, connection))
        finally:
            # Closed, with the lock and the setting it has.
            connection.invalidate()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def schema_is_current(database: Database) -> bool:
    """Whether the database has the schema this version needs."""
    return schema_revision(database) == ScriptDirectory.from_config(_config()).get_current_head()


def schema_revision(database: Database) -> str | None:
    """Return the revision of the database's schema, None where there is none yet."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_known_revision(revision: str) -> bool:
    """Whether this version can bring that schema up to its own."""
    scripts = ScriptDirectory.from_config(_config())
    return revision in {script.revision for script in scripts.walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config

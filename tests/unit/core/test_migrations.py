from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from core.database import Database
from core.migrations.schema import migrate, schema_is_current
from core.tables.register import TABLES


def test_migrations_make_the_schema_the_tables_declare(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, SQLModel.metadata)

    assert differences == []


def test_every_table_is_registered() -> None:
    assert {str(table.__tablename__) for table in TABLES} == set(SQLModel.metadata.tables)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)

    assert schema_is_current(database)


def test_empty_database_is_not_current(tmp_path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")

    assert not schema_is_current(empty)
    empty.close()

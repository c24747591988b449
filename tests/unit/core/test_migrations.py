from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel, select

from core.database import Database
from core.migrations.schema import migrate, schema_is_current
from core.tables.instances import InstanceRow
from core.tables.register import TABLES
from core.values.identity import InstanceIdentity, PatientIdentity
from tests.builders.archive import keep_instance


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


def test_an_object_may_be_larger_than_two_gibibytes(database: Database) -> None:
    size_bytes = 3 << 30
    with database.transaction() as session:
        instance = keep_instance(
            session, PatientIdentity("P1"), InstanceIdentity("1.2", "1.3", "1.4")
        )
        instance.size_bytes = size_bytes

    with database.reading() as session:
        assert session.exec(select(InstanceRow.size_bytes)).one() == size_bytes

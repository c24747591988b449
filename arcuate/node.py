"""What every role of a node opens first: its settings, its record and its bytes."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from core.database import Database
from core.errors import NodeError
from core.migrations.schema import migrate, schema_is_current
from core.postgres_engine import PostgresLimits
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from dicom_node.storage.presence import prepare_storage


class NodeMissing(NodeError):
    """There is no node yet: `arcuate up` makes one, `arcuate migrate` its database alone."""


class SchemaOutdated(NodeError):
    """The database has another schema than this version needs: run `arcuate migrate`."""


@dataclass(frozen=True)
class Node:
    """An opened node."""

    settings: Settings
    database: Database
    storage: Storage


def open_node(settings: Settings, statement_seconds: float = 0.0) -> Node:
    """Open the record and the bytes of an existing node.

    Parameters
    ----------
    statement_seconds
        Longest statement on PostgreSQL; 0 for no limit.

    Raises
    ------
    NodeMissing
        If its database was never made; nothing is made here either.
    SchemaOutdated
        If the database was never migrated, or by another version.
    DatabaseAway
        If it does not answer.
    """
    if not database_exists(settings):
        raise NodeMissing(
            f"There is no node in {settings.home.resolve()} yet: `arcuate up` makes one, "
            "`arcuate migrate` its database alone, ARCUATE_HOME names another folder"
        )
    node = _open(settings, statement_seconds)
    if not has_current_schema(node.database):
        raise SchemaOutdated
    return node


def prepare_node(settings: Settings) -> Node:
    """Open a node, making its folders and its schema where they are missing.

    Raises
    ------
    StorageAway
        If the record names objects, and they are not there: a disk is not mounted.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    node = _open(settings)
    upgrade(node.database)
    prepare_storage(node.database, node.storage)
    return node


def open_or_make_node(settings: Settings) -> Node:
    """Open a node; where there is none it is made, if the settings say where.

    Where nothing does, whoever calls has most likely forgotten the settings of a node: they would
    be told of a key or a peer that no node knows.

    Raises
    ------
    NodeMissing
        If there is none, and no setting names a place for it.
    SchemaOutdated, DatabaseAway
        As `open_node`: a record that others use is not migrated unasked.
    """
    is_named = not {"home", "database_url"}.isdisjoint(settings.model_fields_set)
    if is_named and not database_exists(settings):
        return prepare_node(settings)
    return open_node(settings)


def database_exists(settings: Settings) -> bool:
    """Whether the record's file is there; that of a database server is taken to be."""
    url = make_url(settings.database)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def has_current_schema(database: Database) -> bool:
    """Whether the database has the schema this version needs.

    Raises
    ------
    DatabaseAway
        If it does not answer.
    """
    # Within a session, which gives the faults of a database that is away their name.
    with database.reading():
        return schema_is_current(database)


def upgrade(database: Database) -> None:
    """Create the schema, or bring it to this version.

    Raises
    ------
    DatabaseAway
        If it does not answer.
    """
    with database.reading():
        migrate(database)


def _open(settings: Settings, statement_seconds: float = 0.0) -> Node:
    limits = PostgresLimits(
        settings.database_pool_size, settings.database_pool_overflow, statement_seconds
    )
    return Node(settings, Database(settings.database, limits), open_storage(settings))

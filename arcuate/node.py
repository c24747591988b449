"""What every role of a node opens first: its settings, its record and its bytes."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from core.database import Database
from core.errors import NodeError
from core.migrations.schema import migrate, schema_is_current
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage


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


def open_node(settings: Settings) -> Node:
    """Open the record and the bytes of an existing node.

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
    node = _open(settings)
    if not has_current_schema(node.database):
        raise SchemaOutdated
    return node


def prepare_node(settings: Settings) -> Node:
    """Open a node, making its folders and its schema where they are missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    node = _open(settings)
    upgrade(node.database)
    node.storage.prepare()
    return node


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


def _open(settings: Settings) -> Node:
    return Node(settings, Database(settings.database), open_storage(settings))

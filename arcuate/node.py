"""What every role of a node opens first: its settings, its record and its bytes."""

from dataclasses import dataclass

from core.database import Database
from core.errors import NodeError
from core.migrations.schema import migrate, schema_is_current
from core.settings import Settings
from dicom_node.storage.bytes import Storage


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
    SchemaOutdated
        If the database was never migrated, or by another version.
    DatabaseAway, StorageAway
        If either does not answer.
    """
    node = _open(settings)
    if not schema_is_current(node.database):
        raise SchemaOutdated
    return node


def prepare_node(settings: Settings) -> Node:
    """Open a node, making its folders and its schema where they are missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    node = _open(settings)
    migrate(node.database)
    node.storage.prepare()
    return node


def _open(settings: Settings) -> Node:
    return Node(settings, Database(settings.database), Storage(settings.storage))

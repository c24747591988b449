"""The files no row needs any more: listed in the record first, then removed from the disk.

A file is named by the digest of what is in it, SOP Instance UID included, so no two instances share
one. It is on the list from the transaction that says it is not needed until it is gone, or until
the transaction that says it is needed again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, text, tuple_
from sqlmodel import Session, col, select

from core.database import Database
from core.errors import RecordNotFound
from core.logs import get_logger
from core.tables.discarded_files import DiscardedFileRow, FilePlace
from dicom_node.errors import ObjectUnreadable, StorageAway
from dicom_node.storage.bytes import Storage

_BATCH: Final = 100
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")

_log = get_logger(__name__)


@dataclass(frozen=True)
class Sweep:
    """How many files went, and how many could not be removed and are tried again."""

    removed: int
    failed: int


def lock_files(connection: Connection, place: FilePlace, keys: Iterable[str]) -> None:
    """Let nobody else name or remove these files until the caller's transaction ends.

    Whoever gives a name to a file that may be discarded, and whoever removes one, asks first. On
    SQLite a transaction that writes is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        for key in sorted(keys):
            connection.execute(_LOCK, {"name": f"{place}/{key}"})


def discard_files(session: Session, place: FilePlace, keys: Iterable[str], at: datetime) -> None:
    """List files to remove, in the transaction that takes their rows away."""
    for key in keys:
        session.merge(DiscardedFileRow(place=place, storage_key=key, discarded_at=at))


def need_files(connection: Connection, place: FilePlace, keys: Sequence[str]) -> None:
    """Take files off the list again, before they are named anew in the caller's transaction."""
    lock_files(connection, place, keys)
    connection.execute(
        delete(DiscardedFileRow).where(
            col(DiscardedFileRow.place) == place, col(DiscardedFileRow.storage_key).in_(keys)
        )
    )


def sweep_files(
    database: Database, storages: Mapping[FilePlace, Storage], beat: Callable[[], None]
) -> Sweep:
    """Remove every listed file, whichever run listed it.

    Parameters
    ----------
    beat
        Called before each file: renews a lease, or raises to stop.

    Raises
    ------
    StorageAway
        If a storage is not there: nothing is known of its files then.
    """
    removed = failed = 0
    for place, key in _listed(database):
        beat()
        if _settle(database, storages[place], place, key):
            removed += 1
        else:
            failed += 1
    return Sweep(removed, failed)


def _listed(database: Database) -> Iterator[tuple[FilePlace, str]]:
    last = ("", "")
    identity = (col(DiscardedFileRow.place), col(DiscardedFileRow.storage_key))
    while True:
        statement = select(*identity).where(tuple_(*identity) > last)
        statement = statement.order_by(*identity).limit(_BATCH)
        with database.reading() as session:
            found = session.exec(statement).all()
        if not found:
            return
        last = found[-1]
        yield from ((FilePlace(place), key) for place, key in found)


def _settle(database: Database, storage: Storage, place: FilePlace, key: str) -> bool:
    """Remove one file, and its row; return whether both are gone."""
    with database.transaction() as session:
        lock_files(session.connection(), place, [key])
        row = session.get(DiscardedFileRow, (place, key))
        if row is None:
            # It came again meanwhile, or another process removed it.
            return True
        if not _remove(storage, key):
            return False
        session.delete(row)
    return True


def _remove(storage: Storage, key: str) -> bool:
    try:
        # Deleting says nothing where there is no file; opening tells whether the storage is there.
        with storage.open(key):
            pass
    except RecordNotFound:
        return True
    except ObjectUnreadable:
        _log.warning("discarded_file_unreadable", storage_key=key)
    try:
        storage.delete(key)
    except StorageAway as error:
        _log.error("file_not_removed", storage_key=key, error=str(error))
        return False
    return True

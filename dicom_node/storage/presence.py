"""Telling the storage of a node from the empty folder that is there while its disk is not."""

from collections.abc import Sequence

from sqlmodel import col, select

from core.database import Database
from core.tables.instances import InstanceRow
from dicom_node.errors import StorageAway
from dicom_node.storage.bytes import UNFINISHED, Storage, named_faults
from dicom_node.storage.digest_key import DIGEST_FOLDERS


def prepare_storage(database: Database, storage: Storage, folders: Sequence[str] = ()) -> None:
    """Make the folder of a storage where it was never made: `Storage.prepare`.

    Raises
    ------
    StorageAway
        If the record names objects and the folder is none that they lie in: what is written into
        the mount point of a disk that is away is hidden when the disk is back.
    """
    check_storage_is_there(database, storage)
    storage.prepare(folders)


def check_storage_is_there(database: Database, storage: Storage) -> None:
    """Return where the storage was made, or may be; the errors are those of `prepare_storage`."""
    # Objects may have been copied here with a tool that leaves empty folders out.
    is_made = _holds_one_of(storage, UNFINISHED, *DIGEST_FOLDERS)
    if not is_made and _names_objects(database):
        raise StorageAway(
            f"{storage.root} holds none of the objects that the record names: mount its disk, or "
            "bring them back. Where they are lost for good, make the folder "
            f"{storage.root / UNFINISHED}"
        )


def is_prepared(storage: Storage) -> bool:
    """Whether a node made the folder."""
    return _holds_one_of(storage, UNFINISHED)


def _holds_one_of(storage: Storage, *folders: str) -> bool:
    with named_faults():
        return any((storage.root / folder).is_dir() for folder in folders)


def _names_objects(database: Database) -> bool:
    named = select(InstanceRow.id).where(col(InstanceRow.bytes_removed_at).is_(None))
    with database.reading() as session:
        return session.exec(named.limit(1)).first() is not None

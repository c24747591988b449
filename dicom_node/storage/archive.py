"""Where a node keeps its instances: the record, the bytes and the quarantine, opened together."""

from dataclasses import dataclass, field
from typing import Final

from core.database import Database
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from dicom_node.storage.digest_key import DIGEST_FOLDERS
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.group_commit import GroupCommit
from dicom_node.storage.presence import prepare_storage

_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Archive:
    """What every door into the archive needs.

    Attributes
    ----------
    maximum_object_bytes
        Larger data sets are refused.
    minimum_free_bytes
        With less free space than this, nothing more is received.
    duplicates
        What becomes of other content under a SOP Instance UID that is kept.
    commits
        The one way into the record that all stores of this process share.
    """

    database: Database
    storage: Storage
    quarantine: Storage
    maximum_object_bytes: int
    minimum_free_bytes: int
    duplicates: DuplicatePolicy = DuplicatePolicy.REFUSE
    commits: GroupCommit = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "commits", GroupCommit(self.database, self.storage))

    def prepare(self) -> None:
        """Make the folders and clear what a killed process left half-written.

        Raises
        ------
        StorageAway
            If the record names objects, and they are not there: a disk is not mounted.
        """
        prepare_storage(self.database, self.storage, DIGEST_FOLDERS)
        self.quarantine.prepare()


def open_archive(settings: Settings, database: Database, storage: Storage) -> Archive:
    """Return the archive these settings describe."""
    return Archive(
        database=database,
        storage=storage,
        quarantine=Storage(f"file://{settings.home.resolve() / 'quarantine'}"),
        maximum_object_bytes=settings.maximum_object_mib * _MIB,
        minimum_free_bytes=settings.minimum_free_mib * _MIB,
        duplicates=DuplicatePolicy(settings.duplicates),
    )

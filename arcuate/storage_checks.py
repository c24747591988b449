"""Check of where bytes lie: room and rights of the folder, and the bucket behind it."""

import time
from typing import TYPE_CHECKING, Final

from arcuate.finding import Finding, Health
from arcuate.node import database_exists, open_node
from core.settings import Settings
from dicom_node.errors import StorageAway
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_storage
from dicom_node.storage.presence import check_storage_is_there, is_prepared
from dicom_node.storage.waiting import NOTHING, Waiting

if TYPE_CHECKING:
    from dicom_node.storage.bucket_storage import BucketStorage

_MIB: Final = 1 << 20
#: An object that waits longer while the bucket answers is held up by something.
_LONG_SECONDS: Final = 600.0


def check_storage(settings: Settings) -> Finding:
    """Look whether objects can be kept, and moved where they are to stay."""
    storage = open_storage(settings)
    is_there = _look_for(storage, settings)
    free = storage.free_bytes() // _MIB
    if free < settings.minimum_free_mib:
        found = f"{free} MiB free, below minimum_free_mib {settings.minimum_free_mib}"
        return Finding("storage", Health.WRONG, found, "Free space: stores are refused now.")
    if is_there:
        _try_out(storage)
    found = "writable" if is_there else f"{storage.root} is not there yet"
    found = f"{found}, {free} MiB free"
    if settings.is_bucket:
        # Only where it is used: what talks to a bucket is an extra.
        from dicom_node.storage.bucket_storage import BucketStorage  # noqa: PLC0415

        if isinstance(storage, BucketStorage):
            return _check_bucket(settings, storage, found)
    if not is_there:
        return Finding("storage", Health.NOTE, found, "`arcuate up` makes it.")
    return Finding("storage", Health.GOOD, found)


def _look_for(storage: Storage, settings: Settings) -> bool:
    """Whether a node made it; StorageAway where it must have, and it is not there.

    Nothing is made here: in the mount point of a disk that is away it would look like the storage.
    """
    if is_prepared(storage):
        return True
    if database_exists(settings):
        node = open_node(settings)
        try:
            check_storage_is_there(node.database, storage)
        finally:
            node.database.close()
    return False


def _try_out(storage: Storage) -> None:
    storage.expect()
    with storage.begin() as unfinished:
        unfinished.write(b"doctor")


def _check_bucket(settings: Settings, storage: "BucketStorage", folder: str) -> Finding:
    waiting = storage.waiting() if storage.root.is_dir() else NOTHING
    backlog = _backlog(waiting)
    limit = settings.storage_buffer_bytes if settings.storage_buffer else 0
    try:
        storage.bucket.try_out()
    except StorageAway as error:
        found = f"{error}; {backlog}; {folder}"
        return Finding("storage", Health.WRONG, found, _while_away(settings))
    found = f"the bucket takes, gives and removes; {backlog}; {folder}"
    if limit and waiting.size_bytes >= limit:
        remedy = "Stores are answered A700 until it moved: see the log of `arcuate deliver`."
        return Finding("storage", Health.WRONG, f"{found}; storage_buffer_gib is reached", remedy)
    if waiting.since is not None and time.time() - waiting.since > _LONG_SECONDS:
        remedy = "Is `arcuate deliver` running? Its log names what it cannot move."
        return Finding("storage", Health.WRONG, found, remedy)
    return Finding("storage", Health.GOOD, found)


def _backlog(waiting: Waiting) -> str:
    if waiting.since is None:
        return "nothing waits for it"
    minutes = (time.time() - waiting.since) / 60
    return (
        f"{waiting.files} objects ({waiting.size_bytes // _MIB} MiB) wait for it, "
        f"the oldest for {minutes:.0f} min"
    )


def _while_away(settings: Settings) -> str:
    if settings.storage_buffer:
        return "Mend what the message names; what comes meanwhile waits on this machine's disk."
    return "Mend what the message names; stores are answered A700 until then."

"""What is durably kept of what a peer names: the row, and the bytes as they were recorded.

A row is committed after its bytes were synced, so a row and whole bytes are what survives a power
cut. The bytes are read back and their digest compared: a peer deletes its copy on our word.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from core.database import Database
from core.errors import RecordNotFound
from core.logs import get_logger
from core.tables.instances import InstanceRow
from dicom_node.errors import ObjectUnreadable
from dicom_node.statuses import FailureReason
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.bytes import Storage
from dicom_node.storage.commitments import CommitmentRequest, InstanceReference
from dicom_node.storage.contested import find_contested
from dicom_node.storage.kept_digest import read_digest

#: Rows asked for in one statement.
_BATCH: Final = 500

_log = get_logger(__name__)


@dataclass(frozen=True)
class FailedReference:
    """An instance we do not commit to, and why."""

    instance: InstanceReference
    reason: FailureReason


@dataclass(frozen=True)
class CommitmentResult:
    """What we commit to of one request, and what not."""

    transaction_uid: str
    committed: tuple[InstanceReference, ...]
    failed: tuple[FailedReference, ...]


def verify(
    database: Database, storage: Storage, request: CommitmentRequest, beat: Callable[[], None]
) -> CommitmentResult:
    """Look at every instance of a request.

    Parameters
    ----------
    beat
        Called for every megabyte read and every instance: renews a lease, or raises to stop.

    Raises
    ------
    StorageAway, DatabaseAway
        If nothing can be said now.
    """
    committed, failed = [], []
    for instance, reason in _judge(database, storage, request, beat):
        if reason is None:
            committed.append(instance)
        else:
            failed.append(FailedReference(instance, reason))
    return CommitmentResult(request.transaction_uid, tuple(committed), tuple(failed))


def _judge(
    database: Database, storage: Storage, request: CommitmentRequest, beat: Callable[[], None]
) -> Iterator[tuple[InstanceReference, FailureReason | None]]:
    if request.is_duplicate:
        for instance in request.instances:
            yield instance, FailureReason.DUPLICATE_TRANSACTION_UID
        return
    for first in range(0, len(request.instances), _BATCH):
        batch = request.instances[first : first + _BATCH]
        # Read and let go: hashing takes longer than a transaction may stay open.
        with database.reading() as session:
            rows = _find_rows(session, batch)
            contested = find_contested(session, request.calling_ae_title, rows.values())
        for instance in batch:
            beat()
            if instance.sop_instance_uid in contested:
                yield instance, FailureReason.PROCESSING_FAILURE
            else:
                yield instance, _find_failure(storage, instance, rows, beat)


def _find_rows(session: Session, instances: Iterable[InstanceReference]) -> dict[str, InstanceRow]:
    uids = [instance.sop_instance_uid for instance in instances]
    statement = select(InstanceRow).where(col(InstanceRow.sop_instance_uid).in_(uids))
    return {row.sop_instance_uid: row for row in session.exec(statement).all()}


def _find_failure(
    storage: Storage,
    instance: InstanceReference,
    rows: dict[str, InstanceRow],
    beat: Callable[[], None],
) -> FailureReason | None:
    row = rows.get(instance.sop_instance_uid)
    if row is None:
        if instance.sop_class_uid not in ACCEPTED_SOP_CLASSES:
            return FailureReason.REFERENCED_SOP_CLASS_NOT_SUPPORTED
        return FailureReason.NO_SUCH_OBJECT_INSTANCE
    if row.sop_class_uid != instance.sop_class_uid:
        return FailureReason.CLASS_INSTANCE_CONFLICT
    if row.bytes_removed_at is not None:
        return FailureReason.NO_SUCH_OBJECT_INSTANCE
    if not _is_kept_whole(storage, row, beat):
        _log.error("kept_object_damaged", sop_instance_uid=row.sop_instance_uid)
        return FailureReason.PROCESSING_FAILURE
    return None


def _is_kept_whole(storage: Storage, row: InstanceRow, beat: Callable[[], None]) -> bool:
    try:
        with storage.open(row.storage_key) as file:
            return read_digest(file, beat) == (row.size_bytes, row.digest)
    except (RecordNotFound, ObjectUnreadable):
        return False

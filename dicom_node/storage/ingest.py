"""The one room behind every door: an encoded instance becomes bytes, rows and a job, or is refused.

Bytes first, then one transaction, then the answer: whoever hears Success may delete the only other
copy. Every step may be repeated, so a crash between two of them costs a re-send and nothing else.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.changes import append_change
from core.clock import Clock, utc_now
from core.ledger import enqueue
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceOrigin, InstanceOutcome
from core.tables.jobs import JobKind
from dicom_node.devices.input_class import is_model_input
from dicom_node.errors import (
    InstanceConflict,
    InstanceRefused,
    ObjectTooLarge,
    SOPMismatch,
    StorageFull,
    UnsupportedSOPClass,
)
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.archive import Archive, digest_key
from dicom_node.storage.header import Header, read_header
from dicom_node.storage.hierarchy import check_hierarchy
from dicom_node.storage.instances import Arrival, add_instance, find_instance
from dicom_node.storage.part10 import EncodedInstance, file_preamble
from dicom_node.storage.quarantine import keep_aside

#: How often the rows are tried anew when another association wrote the same ones first.
_ROUNDS: Final = 5


@dataclass(frozen=True)
class IngestOutcome:
    """What became of an instance that is kept.

    Attributes
    ----------
    instance_key
        Primary key of its row.
    is_new
        False where the same content was kept before; no work came of it then.
    """

    instance_key: int
    sop_instance_uid: str
    digest: str
    is_new: bool


def ingest(archive: Archive, encoded: EncodedInstance, clock: Clock = utc_now) -> IngestOutcome:
    """Keep an instance; when this returns, its bytes and rows survive a power cut.

    Raises
    ------
    ObjectTooLarge, UnsupportedSOPClass
        If it is refused unread; nothing of it is kept.
    InstanceRefused
        If it must not be taken in; it is in quarantine then, with its cause.
    StorageFull, StorageAway, DatabaseAway
        If it could not be kept now; the sender may try again.
    """
    if len(encoded.data_set) > archive.maximum_object_bytes:
        raise ObjectTooLarge
    if encoded.sop_class_uid not in ACCEPTED_SOP_CLASSES:
        raise UnsupportedSOPClass
    if archive.storage.free_bytes() - len(encoded.data_set) < archive.minimum_free_bytes:
        raise StorageFull("Below minimum_free_mib; free space on the disk")
    digest = sha256(encoded.data_set).hexdigest()
    try:
        arrival = Arrival(encoded, _read_announced(archive, encoded), digest)
        return _keep(archive, arrival, clock)
    except InstanceRefused as refusal:
        keep_aside(archive, encoded, digest, refusal, clock)
        raise


def _read_announced(archive: Archive, encoded: EncodedInstance) -> Header:
    limit = archive.maximum_object_bytes
    header = read_header(encoded.data_set, encoded.transfer_syntax_uid, limit)
    announced = (encoded.sop_class_uid, encoded.sop_instance_uid)
    if (header.sop_class_uid, header.sop_instance_uid) != announced:
        raise SOPMismatch
    return header


def _keep(archive: Archive, arrival: Arrival, clock: Clock) -> IngestOutcome:
    # Before the bytes: a refusal must leave no object behind, and a repetition writes nothing.
    with archive.database.reading() as session:
        known = _find_same(session, arrival)
        if known is None:
            check_hierarchy(session, arrival.header)
    key = digest_key(arrival.digest)
    if known is None or not archive.storage.exists(key):
        archive.storage.put(key, (file_preamble(arrival.encoded), arrival.encoded.data_set))
    return known or _record(archive, arrival, clock)


def _record(archive: Archive, arrival: Arrival, clock: Clock) -> IngestOutcome:
    for attempt in range(1, _ROUNDS + 1):
        try:
            with archive.database.transaction() as session:
                return _find_same(session, arrival) or _add(session, arrival, clock)
        except IntegrityError:
            # Another association committed the same patient, study, series or instance: look again.
            if attempt == _ROUNDS:
                raise
    raise AssertionError("unreachable")


def _find_same(session: Session, arrival: Arrival) -> IngestOutcome | None:
    row = find_instance(session, arrival.header.sop_instance_uid)
    if row is None:
        return None
    same_encoding = row.transfer_syntax_uid == arrival.encoded.transfer_syntax_uid
    if row.id is None or row.digest != arrival.digest or not same_encoding:
        raise InstanceConflict
    return IngestOutcome(row.id, row.sop_instance_uid, arrival.digest, is_new=False)


def _add(session: Session, arrival: Arrival, clock: Clock) -> IngestOutcome:
    header = arrival.header
    texts = header.texts
    to_analyse = is_model_input(header.sop_class_uid, texts["Modality"], texts["Manufacturer"])
    outcome = InstanceOutcome.PENDING if to_analyse else InstanceOutcome.NOT_MODEL_INPUT
    _, key = add_instance(session, arrival, InstanceOrigin.RECEIVED, outcome, clock())
    if to_analyse:
        enqueue(session, JobKind.ANALYSE, str(key))
    append_change(session, ChangeKind.INSTANCE_RECEIVED, header.sop_instance_uid)
    return IngestOutcome(key, header.sop_instance_uid, arrival.digest, is_new=True)

"""Other content under a SOP Instance UID that is kept takes the place of the first.

The former bytes go to quarantine and the new ones get their name, all synced, before the one
transaction that turns the record commits. Killed anywhere, one of the two is the record and none is
lost. The former file stays where it was for a while, until the next run of retention: whoever found
its name may still be reading it.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from core.changes import append_change
from core.clock import utc_now
from core.database import TransactionConflict
from core.errors import RecordNotFound
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.discarded_files import FilePlace
from core.tables.instances import InstanceOrigin, InstanceRow
from core.tables.patients import PatientRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from dicom_node.errors import HierarchyConflict, InstanceConflict
from dicom_node.storage.archive import Archive
from dicom_node.storage.corrected_identity import follow_correction
from dicom_node.storage.corrected_rows import KeptRows, correct
from dicom_node.storage.digest_key import digest_key
from dicom_node.storage.instances import Arrival
from dicom_node.storage.part10 import Announced
from dicom_node.storage.quarantine import REPLACED, Aside, record_aside, write_aside
from dicom_node.storage.records import IngestOutcome
from dicom_node.storage.retention.files import discard_files, need_files
from dicom_node.storage.unfinished import Unfinished

_CHUNK_BYTES: Final = 1 << 20
#: How often it is tried anew when another writer was first; each time one of them got through.
_ROUNDS: Final = 10

_log = get_logger(__name__)


def find_kept(archive: Archive, arrival: Arrival) -> IngestOutcome:
    """Return what is kept under the UID of an arrival that does not change it.

    Raises
    ------
    RecordNotFound
        If nothing is.
    """
    with archive.database.reading() as session:
        return _outcome(_find(session, arrival).instance, is_new=False)


def replace(archive: Archive, arrival: Arrival, unfinished: Unfinished) -> IngestOutcome:
    """Let an arrival take the place of what is kept under its UID.

    Raises
    ------
    InstanceConflict
        If what is kept is our own report, of another SOP class, or the same bytes announced in
        another transfer syntax.
    HierarchyConflict
        If the arrival names another study or series: it would move into another's record.
    PatientConflict
        If it names a patient that its study was moved away from before: that was decided, and is
        changed again by a person only.
    StorageFull, StorageAway, DatabaseAway
        If it could not be kept now; the record is as it was.
    """
    for _ in range(_ROUNDS):
        try:
            outcome = _try(archive, arrival, unfinished)
        except TransactionConflict:
            continue
        if outcome is not None:
            return outcome
    raise TransactionConflict("Too many writers of one SOP Instance UID at once")


def _try(archive: Archive, arrival: Arrival, unfinished: Unfinished) -> IngestOutcome | None:
    """Replace once; None where another writer replaced it meanwhile."""
    with archive.database.reading() as session:
        former = _find(session, arrival)
    if _is_same(former.instance, arrival):
        return _outcome(former.instance, is_new=False)
    _check(former, arrival)
    with _copied(archive, former.instance) as copy, archive.database.transaction() as session:
        kept = _find(session, arrival, is_locked=True)
        if kept.instance.digest != former.instance.digest:
            return None
        aside = _aside(kept.instance, arrival.received_at)
        # First: it may refuse, and the arrival then goes to quarantine from where it lies.
        patient, identities = follow_correction(session, kept, arrival)
        _exchange_files(session, archive, kept.instance, arrival, unfinished)
        withdrawn = correct(session, kept._replace(patient=patient), arrival)
        # Last, because they number changes: who waits for the next number may hold rows of these.
        if copy is not None:
            record_aside(session, archive, aside, copy)
        for prediction_id in withdrawn:
            append_change(session, ChangeKind.REVIEW_WITHDRAWN, prediction_id)
        append_change(session, ChangeKind.INSTANCE_REPLACED, kept.instance.sop_instance_uid)
        identities.tell(session)
    _log.warning(
        "instance_replaced",
        former=former.instance.digest,
        digest=arrival.digest,
        peer=arrival.announced.calling_ae_title,
    )
    return _outcome(kept.instance, is_new=True)


def _find(session: Session, arrival: Arrival, *, is_locked: bool = False) -> KeptRows:
    statement = (
        select(InstanceRow, SeriesRow, StudyRow, PatientRow)
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
        .where(col(InstanceRow.sop_instance_uid) == arrival.header.sop_instance_uid)
    )
    if is_locked:
        statement = statement.with_for_update(of=InstanceRow)
    found = session.exec(statement).one_or_none()
    if found is None:
        raise RecordNotFound("The instance is not kept any more; send it again")
    return KeptRows(*found)


def _is_same(kept: InstanceRow, arrival: Arrival) -> bool:
    syntax = arrival.announced.transfer_syntax_uid
    return kept.digest == arrival.digest and kept.transfer_syntax_uid == syntax


def _check(kept: KeptRows, arrival: Arrival) -> None:
    header, instance = arrival.header, kept.instance
    # A file is named by its digest alone: of the same bytes there can be only one.
    is_other_object = instance.sop_class_uid != header.sop_class_uid
    if instance.origin == InstanceOrigin.PRODUCED or is_other_object:
        raise InstanceConflict
    if instance.digest == arrival.digest:
        raise InstanceConflict("The same bytes are kept in another transfer syntax")
    uids = (kept.study.study_instance_uid, kept.series.series_instance_uid)
    if uids != (header.study_instance_uid, header.series_instance_uid):
        raise HierarchyConflict


@contextmanager
def _copied(archive: Archive, former: InstanceRow) -> Generator[Unfinished | None]:
    """Copy the former bytes for the quarantine; None where they are not there any more."""
    if archive.storage.exists(former.storage_key):
        with write_aside(archive, _chunks(archive, former)) as copy:
            yield copy
        return
    if former.bytes_removed_at is None:
        # This arrival is what mends the record.
        _log.error("former_bytes_missing", digest=former.digest)
    yield None


def _chunks(archive: Archive, instance: InstanceRow) -> Iterator[bytes]:
    with archive.storage.open(instance.storage_key) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _exchange_files(
    session: Session,
    archive: Archive,
    former: InstanceRow,
    arrival: Arrival,
    unfinished: Unfinished,
) -> None:
    key = digest_key(arrival.digest)
    need_files(session.connection(), FilePlace.INSTANCES, [key])
    archive.storage.keep([(unfinished, key)])
    if former.bytes_removed_at is None:
        discard_files(session, FilePlace.INSTANCES, [former.storage_key], utc_now())


def _aside(former: InstanceRow, at: datetime) -> Aside:
    announced = Announced(
        transfer_syntax_uid=former.transfer_syntax_uid,
        sop_class_uid=former.sop_class_uid,
        sop_instance_uid=former.sop_instance_uid,
        calling_ae_title=former.calling_ae_title,
    )
    # It lies in quarantine since now, however long it was the record before.
    return Aside(announced, former.digest, former.size_bytes, REPLACED, at)


def _outcome(kept: InstanceRow, *, is_new: bool) -> IngestOutcome:
    return IngestOutcome(key_of(kept), kept.sop_instance_uid, kept.digest, is_new)

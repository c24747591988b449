import random
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from core.tables.changes import ChangeKind, ChangeRow
from core.tables.discarded_files import DiscardedFileRow, FilePlace
from core.tables.instances import InstanceOutcome, InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import InstanceConflict, StorageAway
from dicom_node.statuses import FailureReason
from dicom_node.storage.accept_list import OPHTHALMIC_TOMOGRAPHY
from dicom_node.storage.archive import Archive
from dicom_node.storage.commitments import (
    CommitmentRequest,
    InstanceReference,
    record_request,
    settle_request,
)
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance
from dicom_node.storage.retention.files import sweep_files
from dicom_node.storage.retention.plan import plan
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.removal import remove_study
from dicom_node.storage.retention.run import remove
from dicom_node.storage.retention.sent_again import keep_longer
from dicom_node.storage.unfinished import Unfinished
from dicom_node.storage.verification import verify
from tests.builders.encoded_instance import as_file
from tests.builders.kept_study import (
    NOW,
    assert_rows_and_files_agree,
    days_ago,
    encode,
    encode_raw,
    end_job,
    instance,
    keep_raw,
    keep_settled,
    path,
)

BY_AGE = RetentionPolicy(age=timedelta(days=30))


def run(archive: Archive) -> None:
    remove(archive, BY_AGE, NOW, beat=lambda: None)


def mark_only(archive: Archive) -> None:
    with archive.database.reading() as session:
        verdicts = plan(session, BY_AGE, NOW)
    assert all(remove_study(archive.database, verdict, NOW) for verdict in verdicts)


def sweep(archive: Archive) -> None:
    sweep_files(archive.database, {FilePlace.INSTANCES: archive.storage}, lambda: None)


def send(archive: Archive, encoded: EncodedInstance) -> bool:
    """Store now; return whether it was new."""
    return ingest(archive, encoded, clock=lambda: NOW).is_new


def commitment_to(archive: Archive, uid: str) -> list[FailureReason | None]:
    named = (InstanceReference(OPHTHALMIC_TOMOGRAPHY, uid),)
    request = CommitmentRequest("DEVICE1", "", "1.2.3", named)
    result = verify(archive.database, archive.storage, request, lambda: None)
    return [failed.reason for failed in result.failed] or [None for _ in result.committed]


def test_removed_object_sent_again_is_kept_again_and_not_scored_again(archive: Archive) -> None:
    scan, _ = keep_settled(archive, "1", days_ago(40))
    run(archive)
    with archive.database.reading() as session:
        jobs = len(session.exec(select(JobRow)).all())

    assert not send(archive, encode("1"))

    row = instance(archive, scan)
    assert path(archive, scan).read_bytes() == as_file(encode("1"))
    assert (row.bytes_removed_at, row.removal_reason) == (None, None)
    assert (row.sent_again_at, row.received_at) == (NOW, days_ago(40))
    assert row.outcome == InstanceOutcome.PREDICTED
    with archive.database.reading() as session:
        assert len(session.exec(select(JobRow)).all()) == jobs
        last = session.exec(select(ChangeRow).order_by(col(ChangeRow.number).desc())).first()
    assert (last.kind, last.subject) == (ChangeKind.BYTES_KEPT_AGAIN, "1.2.1.1.1")


def test_object_sent_again_stays_as_long_as_a_new_one(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(40))
    run(archive)
    send(archive, encode_raw("1"))

    run(archive)

    assert path(archive, key).exists()
    remove(archive, BY_AGE, NOW + timedelta(days=31), beat=lambda: None)
    assert not path(archive, key).exists()


def test_age_of_a_replacement_is_not_that_of_the_former_sent_again(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(60))
    ingest(archive, encode_raw("1"), clock=lambda: days_ago(40))
    replacing = replace(archive, duplicates=DuplicatePolicy.REPLACE)
    assert send(replacing, encode_raw("1", StudyDescription="corrected"))

    run(archive)

    assert instance(archive, key).bytes_removed_at is None
    assert path(archive, key).exists()


def test_object_sent_again_before_it_went_stays(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(40))
    send(archive, encode_raw("1"))

    run(archive)

    assert path(archive, key).exists()
    with archive.database.reading() as session:
        kinds = session.exec(select(ChangeRow.kind)).all()
    assert ChangeKind.BYTES_KEPT_AGAIN not in kinds


def test_object_that_lay_under_a_former_name_is_found_when_it_is_sent_again(
    archive: Archive,
) -> None:
    """Earlier versions had a folder for the first two digits of a digest."""
    key = keep_raw(archive, "1", days_ago(40))
    former = f"{instance(archive, key).digest[:2]}/{instance(archive, key).digest}.dcm"
    archive.storage.put(former, path(archive, key).read_bytes())
    path(archive, key).unlink()
    with archive.database.transaction() as session:
        session.get_one(InstanceRow, key).storage_key = former
    run(archive)
    assert not path(archive, key).exists()

    send(archive, encode_raw("1"))

    assert path(archive, key).read_bytes() == as_file(encode_raw("1"))
    assert len(list(archive.storage.root.rglob("*.dcm"))) == 1


def test_object_sent_again_between_mark_and_sweep_stays(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(40))
    mark_only(archive)
    send(archive, encode_raw("1"))

    sweep(archive)

    assert path(archive, key).read_bytes() == as_file(encode_raw("1"))
    with archive.database.reading() as session:
        assert session.exec(select(DiscardedFileRow)).all() == []


def test_other_content_under_a_removed_uid_is_refused_as_before(archive: Archive) -> None:
    keep_raw(archive, "1", days_ago(40))
    run(archive)

    with pytest.raises(InstanceConflict):
        send(archive, encode_raw("1", PixelData=b"\x01" * 1000))

    with archive.database.reading() as session:
        assert session.exec(select(QuarantineRow)).one().code == "instance_conflict"


def test_commitment_to_what_was_removed_fails_until_it_is_sent_again(archive: Archive) -> None:
    keep_settled(archive, "1", days_ago(40))
    assert commitment_to(archive, "1.2.1.1.1") == [None]
    run(archive)

    assert commitment_to(archive, "1.2.1.1.1") == [FailureReason.NO_SUCH_OBJECT_INSTANCE]

    send(archive, encode("1"))
    assert commitment_to(archive, "1.2.1.1.1") == [None]


def test_what_is_being_verified_for_a_commitment_stays_until_it_is_told(archive: Archive) -> None:
    scan, _ = keep_settled(archive, "1", days_ago(40))
    named = (InstanceReference(OPHTHALMIC_TOMOGRAPHY, "1.2.1.1.1"),)
    request = CommitmentRequest("DEVICE1", "127.0.0.1", "1.2.3", named)
    with archive.database.transaction() as session:
        key = record_request(session, request, NOW, delay_seconds=60.0)

    result = verify(archive.database, archive.storage, request, beat=lambda: run(archive))

    assert result.committed == named
    assert path(archive, scan).exists()
    with archive.database.transaction() as session:
        settle_request(session, key, NOW, 0)
    end_job(archive, JobKind.COMMIT, str(key), JobStatus.DONE)
    run(archive)
    assert not path(archive, scan).exists()


def test_file_that_is_being_named_again_is_not_swept(archive: Archive) -> None:
    """The store has named it and not committed yet: the sweeper must wait, then find it needed."""
    key = keep_raw(archive, "1", days_ago(40))
    mark_only(archive)
    sweeper = threading.Thread(target=sweep, args=(archive,))

    with archive.database.transaction() as session:
        assert keep_longer(session.connection(), [key], NOW) == ["1.2.1.1.1"]
        archive.storage.put(path(archive, key).relative_to(archive.storage.root).as_posix(), b"new")
        sweeper.start()
        # Long enough to unlink it, were it not for the lock.
        sweeper.join(1.0)
    sweeper.join()

    assert path(archive, key).read_bytes() == b"new"


def test_store_tried_again_after_its_file_was_swept_is_no_success(archive: Archive) -> None:
    """Its transaction was rolled back, so that the file it had named was not needed."""
    with archive.storage.begin() as unfinished:
        assert isinstance(unfinished, Unfinished)
        unfinished.write(b"content")
        unfinished.sync()
        archive.storage.keep([(unfinished, "ab/cd.dcm")])
        archive.storage.delete("ab/cd.dcm")

        with pytest.raises(StorageAway):
            archive.storage.keep([(unfinished, "ab/cd.dcm")])


def test_stores_and_removals_at_once_leave_rows_and_files_that_agree(archive: Archive) -> None:
    studies = [str(number) for number in range(1, 7)]
    for study in studies:
        keep_raw(archive, study, days_ago(40))
    faults: list[BaseException] = []

    def repeat(work: object, times: int) -> None:
        try:
            for _ in range(times):
                work()  # type: ignore[operator]
        except BaseException as fault:  # noqa: BLE001 - told by the test
            faults.append(fault)

    def store() -> None:
        # As old as before, so that the next run takes it away again.
        encoded = encode_raw(random.choice(studies))  # noqa: S311
        ingest(archive, encoded, clock=lambda: days_ago(40))

    threads = [threading.Thread(target=repeat, args=(store, 15)) for _ in range(3)]
    threads += [threading.Thread(target=repeat, args=(lambda: run(archive), 8)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    sweep(archive)
    assert_rows_and_files_agree(archive)

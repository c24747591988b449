import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from core.tables.changes import ChangeKind, ChangeRow
from core.tables.discarded_files import DiscardedFileRow, FilePlace
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import InstanceRefused
from dicom_node.storage.archive import Archive
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.retention.files import need_files, sweep_files
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.quarantine import Expired, remove_expired
from dicom_node.storage.retention.run import Outcome, foresee, remove
from tests.builders.encoded_instance import as_file
from tests.builders.kept_study import NOW, days_ago, encode_raw, keep_raw

POLICY = RetentionPolicy(quarantine_age=timedelta(days=30))


def refuse(archive: Archive, study: str, at: datetime, **keywords: str | None) -> None:
    """Bring an object that goes to quarantine: without a Patient ID unless keywords say other."""
    encoded = encode_raw(study, **{"PatientID": None, **keywords})
    with pytest.raises(InstanceRefused):
        ingest(archive, encoded, clock=lambda: at)


def run(archive: Archive) -> Outcome:
    return remove(archive, POLICY, NOW, beat=lambda: None)


def rows(archive: Archive) -> list[QuarantineRow]:
    with archive.database.reading() as session:
        return list(session.exec(select(QuarantineRow).order_by(col(QuarantineRow.id))).all())


def files(archive: Archive) -> list[str]:
    root = archive.quarantine.root
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.dcm"))


def test_object_leaves_the_quarantine_after_its_time(archive: Archive) -> None:
    refuse(archive, "1", days_ago(31))
    refuse(archive, "2", days_ago(29))
    old, young = rows(archive)

    foreseen, outcome = foresee(archive, POLICY, NOW), run(archive)

    assert foreseen.quarantine == outcome.quarantine == Expired(1, old.size_bytes)
    assert [row.id for row in rows(archive)] == [young.id]
    assert files(archive) == [young.storage_key]
    with archive.database.reading() as session:
        change = session.exec(select(ChangeRow).order_by(col(ChangeRow.number).desc())).first()
        assert session.exec(select(DiscardedFileRow)).all() == []
    assert (change.kind, change.subject) == (ChangeKind.QUARANTINE_REMOVED, str(old.id))


def test_quarantine_is_kept_for_ever_unless_said_otherwise(archive: Archive) -> None:
    refuse(archive, "1", days_ago(9000))

    remove(archive, RetentionPolicy(age=timedelta(days=1)), NOW, beat=lambda: None)

    assert len(files(archive)) == 1


def test_file_that_another_cause_needs_stays(archive: Archive) -> None:
    refuse(archive, "1", days_ago(31), PatientID="P9", announced_instance_uid="1.2.404")
    keep_raw(archive, "1", days_ago(2), number=2)
    refuse(archive, "1", days_ago(1), PatientID="P9")
    assert [row.code for row in rows(archive)] == ["sop_mismatch", "patient_conflict"]

    assert run(archive).quarantine.objects == 1

    assert [row.code for row in rows(archive)] == ["patient_conflict"]
    assert files(archive) == [rows(archive)[0].storage_key]


def test_more_objects_than_one_transaction_takes_all_go(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_node.storage.retention.quarantine._BATCH", 2)
    for study in range(5):
        refuse(archive, str(study), days_ago(31))

    assert run(archive).quarantine.objects == 5
    assert files(archive) == []


def test_object_that_comes_again_afterwards_is_kept_aside_again(archive: Archive) -> None:
    refuse(archive, "1", days_ago(31))
    run(archive)

    refuse(archive, "1", NOW)

    assert files(archive) == [rows(archive)[0].storage_key]


def test_object_that_comes_again_in_between_stays_as_long_as_a_new_one(archive: Archive) -> None:
    both = replace(archive, duplicates=DuplicatePolicy.KEEP_BOTH)
    keep_raw(archive, "1", days_ago(60))
    for at in (days_ago(31), days_ago(2)):
        ingest(both, encode_raw("1", StudyDescription="other"), clock=lambda at=at: at)

    assert run(archive).quarantine.objects == 0

    [row] = rows(archive)
    assert files(archive) == [row.storage_key]


def test_former_content_stays_as_long_as_what_came_with_its_replacement(archive: Archive) -> None:
    keep_raw(archive, "1", days_ago(60))
    other = encode_raw("1", StudyDescription="other")
    ingest(replace(archive, duplicates=DuplicatePolicy.REPLACE), other, clock=lambda: days_ago(2))

    assert run(archive).quarantine.objects == 0

    assert len(files(archive)) == 1


def test_object_that_comes_again_before_its_file_went_keeps_it(archive: Archive) -> None:
    refuse(archive, "1", days_ago(31))
    remove_expired(archive.database, days_ago(30), NOW, lambda: None)
    refuse(archive, "1", NOW)

    sweep_files(archive.database, {FilePlace.QUARANTINE: archive.quarantine}, lambda: None)

    content = (archive.quarantine.root / rows(archive)[0].storage_key).read_bytes()
    assert content == as_file(encode_raw("1", PatientID=None))


def test_object_that_is_being_kept_aside_is_waited_for(archive: Archive) -> None:
    """Its old row goes while its new one is written and not committed yet."""
    refuse(archive, "1", days_ago(31))
    [old] = rows(archive)
    remover = threading.Thread(target=run, args=(archive,))

    with archive.database.transaction() as session:
        need_files(session.connection(), FilePlace.QUARANTINE, [old.storage_key])
        values = old.model_dump(exclude={"id"}) | {"received_at": NOW, "code": "sop_mismatch"}
        session.add(QuarantineRow(**values))
        session.flush()
        remover.start()
        # Long enough to remove row and file, were it not for the lock.
        remover.join(1.0)
    remover.join()

    assert [row.code for row in rows(archive)] == ["sop_mismatch"]
    assert files(archive) == [old.storage_key]

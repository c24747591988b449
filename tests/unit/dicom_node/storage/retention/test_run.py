from datetime import timedelta
from pathlib import Path
from shutil import move

import pytest
from sqlmodel import SQLModel, col, func, select

from core.tables.changes import ChangeKind, ChangeRow
from core.tables.discarded_files import DiscardedFileRow, FilePlace
from core.tables.instances import InstanceOutcome, RemovalReason
from core.tables.reports import ReportRow
from dicom_node.errors import BytesRemoved, StorageAway
from dicom_node.storage.archive import Archive
from dicom_node.storage.retention.files import sweep_files
from dicom_node.storage.retention.plan import plan
from dicom_node.storage.retention.policy import RetentionPolicy
from dicom_node.storage.retention.removal import remove_study
from dicom_node.storage.retention.run import Outcome, foresee, remove
from dicom_node.storage.retrieve import read_dataset, read_instance
from tests.builders.kept_study import (
    NOW,
    answer,
    assert_rows_and_files_agree,
    days_ago,
    instance,
    keep_raw,
    keep_scan,
    keep_settled,
    path,
    report,
)

BY_AGE = RetentionPolicy(age=timedelta(days=30))


def run(archive: Archive, policy: RetentionPolicy = BY_AGE) -> Outcome:
    return remove(archive, policy, NOW, beat=lambda: None)


def studies(outcome: Outcome) -> list[tuple[str, str]]:
    return [(v.study.study_instance_uid, v.reason) for v in outcome.removed]


def count(archive: Archive, table: type[SQLModel]) -> int:
    with archive.database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def changes(archive: Archive, kind: ChangeKind) -> list[str]:
    statement = select(ChangeRow.subject).where(col(ChangeRow.kind) == kind)
    with archive.database.reading() as session:
        return list(session.exec(statement.order_by(col(ChangeRow.number))).all())


def test_what_is_too_old_loses_its_file_and_keeps_its_row(archive: Archive) -> None:
    old, young = keep_raw(archive, "1", days_ago(31)), keep_raw(archive, "2", days_ago(29))

    outcome = run(archive)

    assert studies(outcome) == [("1.2.1", RemovalReason.AGE)]
    assert (outcome.files.removed, outcome.files.failed) == (1, 0)
    assert (path(archive, old).exists(), path(archive, young).exists()) == (False, True)
    row = instance(archive, old)
    assert (row.bytes_removed_at, row.removal_reason) == (NOW, RemovalReason.AGE)
    assert row.outcome == InstanceOutcome.NOT_MODEL_INPUT
    assert instance(archive, young).bytes_removed_at is None
    assert changes(archive, ChangeKind.BYTES_REMOVED) == ["1.2.1.1.1"]
    assert count(archive, DiscardedFileRow) == 0
    assert outcome.kept_bytes == instance(archive, young).size_bytes


def test_result_and_report_outlive_the_scan(archive: Archive) -> None:
    scan, sr = keep_settled(archive, "1", days_ago(31))

    outcome = run(archive)

    assert studies(outcome) == [("1.2.1", RemovalReason.AGE)]
    assert (path(archive, scan).exists(), path(archive, sr).exists()) == (False, True)
    with archive.database.reading() as session:
        assert read_dataset(session, archive.storage, "1.2.1.9.1").Modality == "SR"
        with pytest.raises(BytesRemoved, match="on 2026-06-01"):
            read_instance(session, archive.storage, "1.2.1.1.1")
    assert count(archive, DiscardedFileRow) == 0


def test_report_that_came_back_from_a_peer_first_is_not_removed(archive: Archive) -> None:
    """Then its row says received, and it is our report all the same."""
    scan, returned = (keep_scan(archive, "1", days_ago(31), n) for n in (1, 2))
    report(archive, answer(archive, scan), "1")
    returned_id = answer(archive, returned)
    report(archive, returned_id, "2")
    with archive.database.transaction() as session:
        of_returned = select(ReportRow).where(ReportRow.prediction_id == returned_id)
        session.exec(of_returned).one().instance_key = returned

    run(archive)

    assert (path(archive, scan).exists(), path(archive, returned).exists()) == (False, True)


def test_one_object_that_is_held_holds_its_whole_study(archive: Archive) -> None:
    scan, _ = keep_settled(archive, "1", days_ago(40))
    waiting = keep_scan(archive, "1", days_ago(35), number=2)

    outcome = run(archive)

    assert studies(outcome) == []
    [held] = outcome.held
    assert [hold.code for hold in held.held_by] == ["not_scored"]
    assert (held.study.instance_count, held.reason) == (2, RemovalReason.AGE)
    assert path(archive, scan).exists()
    assert path(archive, waiting).exists()


def test_age_counts_from_the_last_object_of_the_study(archive: Archive) -> None:
    first = keep_raw(archive, "1", days_ago(400))
    keep_raw(archive, "1", days_ago(3), number=2)

    assert studies(run(archive)) == []
    assert path(archive, first).exists()


def test_above_its_size_the_archive_loses_its_oldest_studies(archive: Archive) -> None:
    keys = [keep_raw(archive, str(n), days_ago(10 - n)) for n in (1, 2, 3, 4)]
    size = instance(archive, keys[0]).size_bytes

    outcome = run(archive, RetentionPolicy(maximum_bytes=2 * size + 1))

    assert studies(outcome) == [("1.2.1", RemovalReason.SIZE), ("1.2.2", RemovalReason.SIZE)]
    assert [path(archive, key).exists() for key in keys] == [False, False, True, True]
    assert outcome.kept_bytes == 2 * size


def test_at_its_size_the_archive_loses_nothing(archive: Archive) -> None:
    size = instance(archive, keep_raw(archive, "1", days_ago(900))).size_bytes

    assert studies(run(archive, RetentionPolicy(maximum_bytes=size))) == []


def test_above_its_size_what_is_held_is_passed_over(archive: Archive) -> None:
    held, free = keep_scan(archive, "1", days_ago(9)), keep_raw(archive, "2", days_ago(8))

    outcome = run(archive, RetentionPolicy(maximum_bytes=1))

    assert studies(outcome) == [("1.2.2", RemovalReason.SIZE)]
    assert [v.study.study_instance_uid for v in outcome.held] == ["1.2.1"]
    assert (path(archive, held).exists(), path(archive, free).exists()) == (True, False)


def test_what_goes_by_age_counts_for_the_size(archive: Archive) -> None:
    keys = [keep_raw(archive, str(n), days_ago(days)) for n, days in enumerate((50, 40, 20), 1)]
    size = instance(archive, keys[0]).size_bytes

    outcome = run(archive, RetentionPolicy(timedelta(days=30), maximum_bytes=size))

    assert studies(outcome) == [("1.2.1", RemovalReason.AGE), ("1.2.2", RemovalReason.AGE)]


def test_without_a_bound_everything_stays(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(9000))

    assert studies(run(archive, RetentionPolicy())) == []
    assert path(archive, key).exists()


def test_dry_run_says_what_a_run_would_do_and_does_nothing(archive: Archive) -> None:
    keys = [keep_raw(archive, "1", days_ago(40)), keep_scan(archive, "2", days_ago(39))]
    before = count(archive, ChangeRow)

    foreseen = foresee(archive, BY_AGE, NOW)

    assert foreseen.files is None
    assert all(path(archive, key).exists() for key in keys)
    assert [instance(archive, key).bytes_removed_at for key in keys] == [None, None]
    assert (count(archive, ChangeRow), count(archive, DiscardedFileRow)) == (before, 0)
    done = run(archive)
    assert (foreseen.removed, foreseen.held) == (done.removed, done.held)
    assert foreseen.kept_bytes == done.kept_bytes


def test_more_studies_than_one_statement_asks_for_all_go(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_node.storage.retention.plan._BATCH", 2)
    monkeypatch.setattr("dicom_node.storage.retention.files._BATCH", 2)
    for number in range(5):
        keep_raw(archive, str(number), days_ago(40 + number))

    outcome = run(archive)

    assert [uid for uid, _ in studies(outcome)] == [f"1.2.{n}" for n in (4, 3, 2, 1, 0)]
    assert outcome.files.removed == 5


def test_study_that_changed_after_it_was_judged_stays(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(40))
    with archive.database.reading() as session:
        [verdict] = plan(session, BY_AGE, NOW)
    late = keep_raw(archive, "1", days_ago(0), number=2)

    assert not remove_study(archive.database, verdict, NOW)

    assert path(archive, key).exists()
    assert path(archive, late).exists()
    assert instance(archive, key).bytes_removed_at is None


def test_study_that_is_held_since_it_was_judged_stays(archive: Archive) -> None:
    scan, _ = keep_settled(archive, "1", days_ago(40))
    with archive.database.reading() as session:
        [verdict] = plan(session, BY_AGE, NOW)
    with archive.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE jobs SET status = 'queued'")

    assert not remove_study(archive.database, verdict, NOW)
    assert instance(archive, scan).bytes_removed_at is None


def mark_only(archive: Archive) -> None:
    """Do the first half of a run, as one that was killed there."""
    with archive.database.reading() as session:
        verdicts = plan(session, BY_AGE, NOW)
    assert all(remove_study(archive.database, verdict, NOW) for verdict in verdicts)


def test_next_run_removes_the_file_a_killed_one_left(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(40))
    mark_only(archive)
    assert path(archive, key).exists()

    outcome = run(archive)

    assert (studies(outcome), outcome.files.removed) == ([], 1)
    assert_rows_and_files_agree(archive)


def test_file_that_went_before_a_kill_is_no_fault(archive: Archive) -> None:
    key = keep_raw(archive, "1", days_ago(40))
    mark_only(archive)
    path(archive, key).unlink()

    outcome = run(archive)

    assert (outcome.files.removed, outcome.files.failed) == (1, 0)
    assert count(archive, DiscardedFileRow) == 0


def test_storage_that_is_away_forgets_no_file(archive: Archive, tmp_path: Path) -> None:
    """An empty mount point looks like a storage whose files are gone already."""
    key = keep_raw(archive, "1", days_ago(40))
    mark_only(archive)
    away = tmp_path / "away"
    move(archive.storage.root, away)
    archive.storage.root.mkdir()

    with pytest.raises(StorageAway):
        run(archive)

    archive.storage.root.rmdir()
    move(away, archive.storage.root)
    assert run(archive).files.removed == 1
    assert not path(archive, key).exists()


def test_file_that_cannot_be_removed_holds_up_no_other(archive: Archive) -> None:
    keys = [keep_raw(archive, str(n), days_ago(40)) for n in (1, 2)]
    mark_only(archive)
    stuck = path(archive, keys[0])
    stuck.unlink()
    stuck.mkdir()

    outcome = run(archive)

    assert (outcome.files.removed, outcome.files.failed) == (1, 1)
    assert not path(archive, keys[1]).exists()
    stuck.rmdir()
    assert run(archive).files.removed == 1


def test_run_that_is_stopped_goes_on_the_next_time(archive: Archive) -> None:
    for number in range(3):
        keep_raw(archive, str(number), days_ago(40))
    beats = iter([None, None])

    with pytest.raises(StopIteration):
        remove(archive, BY_AGE, NOW, beat=lambda: next(beats))

    assert len(changes(archive, ChangeKind.BYTES_REMOVED)) == 2
    assert run(archive).files.removed == 3
    assert_rows_and_files_agree(archive)


def test_two_runs_at_once_do_each_thing_once(archive: Archive) -> None:
    for number in range(3):
        keep_raw(archive, str(number), days_ago(40))
    mark_only(archive)
    storages = {FilePlace.INSTANCES: archive.storage, FilePlace.QUARANTINE: archive.quarantine}
    others = []

    def run_the_other() -> None:
        if not others:
            others.append(None)
            others.append(sweep_files(archive.database, storages, lambda: None))

    sweep = sweep_files(archive.database, storages, run_the_other)

    assert others[1].removed == 3
    assert sweep.failed == 0
    assert len(changes(archive, ChangeKind.BYTES_REMOVED)) == 3
    assert_rows_and_files_agree(archive)

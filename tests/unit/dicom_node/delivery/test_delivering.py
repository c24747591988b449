import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from arcuate.waiting import wait_until
from core import ledger
from core.database import Database
from core.deliveries.destinations import (
    disable_destination,
    enable_destination,
    find_destination,
    remove_destination,
)
from core.settings import Settings
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from dicom_node.calling_errors import DestinationDown
from dicom_node.delivery.delivering import DeliverStep, run_deliveries
from dicom_node.delivery.targets.folder import Folder
from dicom_node.delivery.targets.target import Sent, Verdict
from dicom_node.storage.archive import Archive
from tests.builders.sent_report import SentReports


@pytest.fixture
def reports(archive: Archive, settings: Settings, tmp_path: Path) -> SentReports:
    patient = settings.model_copy(update={"delivery_attempts": 2})
    made = SentReports(archive, patient)
    (tmp_path / "share").mkdir()
    made.add("share", "folder", str(tmp_path / "share"))
    return made


def lose_bytes(reports: SentReports, number: int) -> None:
    """Remove the file of a report, as a broken disk would."""
    with reports.archive.database.reading() as session:
        statement = select(InstanceRow.storage_key).join(
            DeliveryRow, col(DeliveryRow.instance_key) == col(InstanceRow.id)
        )
        keys = session.exec(statement.order_by(col(DeliveryRow.id))).all()
    reports.archive.storage.delete(keys[number])


def test_report_whose_bytes_are_gone_holds_up_no_other(reports: SentReports) -> None:
    reports.keep_reports(2)
    lose_bytes(reports, 1)

    reports.deliver()

    assert reports.states() == ["delivered", "gave_up", "delivered", "delivered"]
    assert str(reports.deliveries()[1].error).startswith("No bytes are kept under")


def test_what_a_dead_process_left_is_sent_and_its_attempt_counted(reports: SentReports) -> None:
    reports.keep_reports(1)
    with reports.archive.database.transaction() as session:
        sending = {"state": DeliveryState.SENDING, "attempts": 1}
        session.execute(update(DeliveryRow).values(**sending))

    reports.deliver()

    assert reports.states() == ["delivered", "delivered"]
    assert [row.attempts for row in reports.deliveries()] == [2, 2]


class Breaking(Folder):
    """A target with a fault of ours in it."""

    def __init__(self, bad: str) -> None:
        self._bad = bad

    def send(self, destination, objects, tools) -> Generator:
        for outgoing in objects:
            if outgoing.sop_instance_uid == self._bad:
                raise KeyError(self._bad)
            yield from super().send(destination, [outgoing], tools)


def test_fault_of_ours_is_blamed_on_the_object_it_broke_at(
    reports: SentReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.keep_reports(2)
    broken = Breaking(reports.uids()[1])
    monkeypatch.setattr("dicom_node.delivery.delivering.find_target", lambda _kind: broken)

    for _ in range(6):
        reports.deliver()
        reports.hurry()

    assert reports.states() == ["delivered", "gave_up", "delivered", "delivered"]
    assert reports.deliveries()[1].error == "The process that sent it ended"


def test_destination_that_is_off_gets_nothing_until_it_is_on(reports: SentReports) -> None:
    database = reports.archive.database
    with database.transaction() as session:
        disable_destination(session, "share")
    reports.keep_reports(1)
    reports.deliver()
    assert reports.states() == ["waiting", "waiting"]

    with database.transaction() as session:
        enable_destination(session, "share")
    reports.deliver()
    assert reports.states() == ["delivered", "delivered"]


def test_second_job_of_a_destination_waits_for_the_first(reports: SentReports) -> None:
    database = reports.archive.database
    reports.keep_reports(1)
    with database.transaction() as session:
        [first] = ledger.claim(session, JobKind.DELIVER, "other", 1, 600)
    reports.keep_reports(1)

    reports.worker().run_once()

    assert reports.states() == ["waiting"] * 4
    [_, second] = reports.jobs()
    assert (second.status, second.attempts) == (JobStatus.QUEUED, 0)
    with database.transaction() as session:
        ledger.give_back(session, first)
    reports.hurry()
    reports.deliver()
    assert reports.states() == ["delivered"] * 4
    assert reports.jobs() == []


def test_worker_that_lost_its_lease_writes_nothing(
    reports: SentReports, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.keep_reports(1)

    class Slow(Folder):
        def send(self, destination, objects, tools) -> Generator:
            with database.transaction() as session:
                session.execute(update(JobRow).values(worker="another"))
            yield from super().send(destination, objects, tools)

    monkeypatch.setattr("dicom_node.delivery.delivering.find_target", lambda _kind: Slow())
    reports.worker().run_once()

    assert reports.states() == ["sending", "sending"]


def test_stopping_ends_between_two_objects(reports: SentReports) -> None:
    reports.keep_reports(2)

    class Stopping(Folder):
        def send(self, destination, objects, tools) -> Generator:
            for sent in super().send(destination, objects, tools):
                reports.stopping.set()
                yield sent

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicom_node.delivery.delivering.find_target", lambda _kind: Stopping())
        reports.worker().run_once()

    assert reports.states() == ["delivered", "waiting", "waiting", "waiting"]
    assert [row.attempts for row in reports.deliveries()] == [1, 0, 0, 0]
    reports.stopping.clear()
    reports.deliver()
    assert reports.states() == ["delivered"] * 4


def test_job_that_failed_is_followed_by_another(reports: SentReports, database: Database) -> None:
    reports.keep_reports(1)
    step = DeliverStep(database, reports.archive.storage, reports.settings, reports.stopping)
    with database.transaction() as session:
        [claimed] = ledger.claim(session, JobKind.DELIVER, "worker", 1, 60)
        assert not ledger.fail(session, claimed, "broke", retry=False, maximum_attempts=1)
        step.give_up(session, claimed, "broke")

    assert [job.status for job in reports.jobs()] == [JobStatus.FAILED, JobStatus.QUEUED]


def test_loop_sends_what_comes_and_ends_when_it_is_asked_to(reports: SentReports) -> None:
    worker = reports.worker()
    thread = threading.Thread(target=run_deliveries, args=(worker, worker.step))
    thread.start()
    try:
        reports.keep_reports(1)
        assert wait_until(lambda: reports.states() == ["delivered"] * 2, 30), reports.states()
    finally:
        reports.stopping.set()
        thread.join(30)
    assert not thread.is_alive()


def test_several_processes_send_each_report_once(reports: SentReports, tmp_path: Path) -> None:
    """Two workers at once: one job a destination, so nothing is sent by both."""
    sent: list[str] = []

    class Counting(Folder):
        def send(self, destination, objects, tools) -> Generator:
            for outcome in super().send(destination, objects, tools):
                sent.append(f"{outcome.delivery_id}")
                yield outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicom_node.delivery.delivering.find_target", lambda _kind: Counting())
        reports.keep_reports(1)
        workers = [reports.worker() for _ in range(2)]
        threads = [
            threading.Thread(target=run_deliveries, args=(worker, worker.step))
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        for _ in range(3):
            reports.keep_reports(1)
        done = wait_until(lambda: reports.states() == ["delivered"] * 8, 60)
        reports.stopping.set()
        for thread in threads:
            thread.join(30)
    assert done, reports.states()
    assert sorted(sent, key=int) == [str(row.id) for row in reports.deliveries()]


def test_unknown_kind_of_destination_fails_its_job_and_loses_nothing(
    reports: SentReports, database: Database
) -> None:
    with database.transaction() as session:
        find_destination(session, "share").kind = "pigeon"
    reports.keep_reports(1)

    reports.worker().run_once()

    assert reports.states() == ["waiting", "waiting"]
    [failed, following] = reports.jobs()
    assert (failed.status, following.status) == (JobStatus.FAILED, JobStatus.QUEUED)
    assert "pigeon" in str(failed.error)


class Busy(Folder):
    """A target that asks to be left alone, while more is planned for it."""

    def __init__(self, reports: SentReports) -> None:
        self._reports = reports
        self.tries = 0

    def send(self, destination, objects, tools) -> Generator:
        self.tries += 1
        self._reports.keep_reports(1)
        raise DestinationDown("too many requests", asked_pause_seconds=1800.0)
        yield


def test_destination_that_is_to_be_left_alone_is_so_whatever_is_planned_meanwhile(
    reports: SentReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.keep_reports(1)
    busy = Busy(reports)
    monkeypatch.setattr("dicom_node.delivery.delivering.find_target", lambda _kind: busy)

    reports.deliver()

    assert busy.tries == 1
    assert {job.status for job in reports.jobs()} == {JobStatus.QUEUED}
    assert reports.destination("share").circuit == CircuitState.OPEN
    # A person who asks for it need not wait.
    monkeypatch.undo()
    with reports.archive.database.transaction() as session:
        enable_destination(session, "share")
    reports.deliver()
    assert reports.states() == ["delivered"] * 4


class Removed(Folder):
    """A target of a destination that somebody removes while it is sent to."""

    def __init__(self, reports: SentReports, verdict: Verdict) -> None:
        self._reports, self._verdict = reports, verdict

    def send(self, destination, objects, tools) -> Generator:
        with self._reports.archive.database.transaction() as session:
            remove_destination(session, destination.name)
        for outgoing in objects:
            yield Sent(outgoing.delivery_id, self._verdict, "It would not")


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.REFUSED])
def test_nothing_waits_for_a_destination_that_was_removed_while_it_was_sent_to(
    reports: SentReports, monkeypatch: pytest.MonkeyPatch, verdict: Verdict
) -> None:
    reports.keep_reports(1)
    removed = Removed(reports, verdict)
    monkeypatch.setattr("dicom_node.delivery.delivering.find_target", lambda _kind: removed)

    reports.deliver()

    assert reports.states() == ["gave_up", "gave_up"]
    assert {row.error for row in reports.deliveries()} == {"The destination was removed"}
    assert all(row.dismissed_at for row in reports.deliveries())

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from sqlmodel import Session, select

from core import ledger
from core.database import Database
from core.errors import InfrastructureError, NodeError
from core.ledger import Claim
from core.settings import Settings
from core.tables.changes import ChangeKind, ChangeRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.worker import Worker


class BadScanError(NodeError):
    """The scan is bad."""


@dataclass
class RecordingStep:
    """Does each subject once, and fails on those it is told to."""

    database: Database
    errors: dict[str, Exception] = field(default_factory=dict)
    kind: JobKind = JobKind.ANALYSE
    group_size: int = 4
    done: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    def run(self, claims: Sequence[Claim]) -> None:
        for claimed in claims:
            if claimed.subject in self.errors:
                raise self.errors[claimed.subject]
        for claimed in claims:
            with self.database.transaction() as session:
                ledger.finish(session, claimed)
            self.done.append(claimed.subject)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        self.given_up.append(f"{claim.subject}: {error}")


@pytest.fixture
def add(database: Database):
    def add_subjects(*subjects: str) -> None:
        with database.transaction() as session:
            for subject in subjects:
                ledger.enqueue(session, JobKind.ANALYSE, subject)

    return add_subjects


def work_until_settled(worker: Worker, database: Database) -> dict[str, str]:
    """Work, with the waits between attempts taken out, until nothing is left to do."""
    for _ in range(50):
        with database.transaction() as session:
            for row in session.exec(select(JobRow)).all():
                row.available_at = 0.0
        if worker.run_once() == 0:
            break
    with database.reading() as session:
        return {row.subject: row.status for row in session.exec(select(JobRow)).all()}


def make_worker(database: Database, settings: Settings, step: RecordingStep) -> Worker:
    return Worker(database, settings, step, threading.Event())


def test_bad_job_does_not_take_its_group_with_it(database, settings, add) -> None:
    add("good1", "bad", "good2")
    step = RecordingStep(database, {"bad": BadScanError("truncated")})

    ended = work_until_settled(make_worker(database, settings, step), database)

    assert ended == {"good1": JobStatus.DONE, "bad": JobStatus.FAILED, "good2": JobStatus.DONE}
    assert sorted(step.done) == ["good1", "good2"]
    assert step.given_up == ["bad: truncated"]


def test_group_that_fails_can_be_worked_on_one_by_one_at_once(database, settings, add) -> None:
    add("good1", "bad", "good2")
    step = RecordingStep(database, {"bad": BadScanError("truncated")})
    worker = make_worker(database, settings, step)

    worker.attempt(worker.claim(3), step.run, one_by_one=True)

    with database.reading() as session:
        ended = {row.subject: row.status for row in session.exec(select(JobRow)).all()}
    assert ended == {"good1": JobStatus.DONE, "bad": JobStatus.FAILED, "good2": JobStatus.DONE}
    assert step.given_up == ["bad: truncated"]


def test_unexpected_error_is_recorded_without_its_text(database, settings, add) -> None:
    add("bad")
    step = RecordingStep(database, {"bad": ValueError("Public^Patient")})

    work_until_settled(make_worker(database, settings, step), database)

    assert step.given_up == ["bad: Unexpected ValueError"]


def test_outage_burns_no_attempt(database, settings, add) -> None:
    add("scan")
    step = RecordingStep(database, {"scan": InfrastructureError("storage away")})
    worker = make_worker(database, settings, step)
    for _ in range(10):
        with pytest.raises(InfrastructureError):
            worker.run_once()
    step.errors.clear()

    ended = work_until_settled(worker, database)

    assert ended == {"scan": JobStatus.DONE}


def test_job_whose_worker_dies_each_time_stops_and_says_so(database, settings, add) -> None:
    add("poison")
    step = RecordingStep(database)
    for _ in range(settings.maximum_attempts):
        with database.transaction() as session:
            ledger.claim(session, JobKind.ANALYSE, "killed", 1, -1)

    ended = work_until_settled(make_worker(database, settings, step), database)

    assert ended == {"poison": JobStatus.FAILED}
    assert step.given_up == ["poison: The worker died in each attempt"]
    assert step.done == []


def test_job_that_cannot_even_be_given_up_stops_and_spares_its_worker(
    database, settings, add
) -> None:
    class HopelessStep(RecordingStep):
        def give_up(self, session: Session, claim: Claim, error: str) -> None:
            super().give_up(session, claim, error)
            raise ValueError("nothing to record it on")

    add("bad", "good")
    step = HopelessStep(database, {"bad": BadScanError()})

    ended = work_until_settled(make_worker(database, settings, step), database)

    assert ended == {"bad": JobStatus.FAILED, "good": JobStatus.DONE}
    assert step.given_up == ["bad: The scan is bad."]
    with database.reading() as session:
        errors = session.exec(select(JobRow.error).where(JobRow.subject == "bad")).all()
        changes = session.exec(select(ChangeRow.kind)).all()
    assert (errors, changes) == (["The scan is bad."], [ChangeKind.JOB_FAILED])


def test_running_worker_wakes_for_new_work_and_stops_when_asked(database, settings, add) -> None:
    done = threading.Event()

    class SignallingStep(RecordingStep):
        def run(self, claims: Sequence[Claim]) -> None:
            super().run(claims)
            done.set()

    worker = make_worker(database, settings, SignallingStep(database))
    thread = threading.Thread(target=worker.run)
    thread.start()
    add("scan")

    assert done.wait(timeout=60)
    worker.stopping.set()
    thread.join(timeout=60)
    assert not thread.is_alive()

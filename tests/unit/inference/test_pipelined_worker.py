"""The worker beside real processes that prepare; `test_worker.py` has the rules of single jobs."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlmodel import select

from arcuate.waiting import wait_until
from core import ledger
from core.clock import utc_now
from core.database import Database
from core.errors import InfrastructureError
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.predictions import PredictionRow
from core.values.prediction import PredictionStatus
from dicom_node.storage.archive import Archive
from inference.analysis import AnalyseStep, Analysis
from inference.errors import ExecutorAway, PreparationHung
from inference.model_card import ModelKind
from inference.pipelined_worker import PipelinedWorker
from inference.predictor import Predictor
from inference.preparation_pool import PreparationPool, preparation_pool
from inference.scorer import Scorer
from inference.scorers import FixedScorers, Scorers
from tests.builders.opt import build_circle_opt, build_line_opt
from tests.builders.received import receive

EARLIER = utc_now() - timedelta(minutes=5)
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class StepWithExecutor(AnalyseStep):
    """Concludes as ever, but while what computes for it is away."""

    away: threading.Event = field(default_factory=threading.Event)

    def conclude(self, analyses: Sequence[Analysis], scorers: Scorers) -> None:
        if self.away.is_set():
            raise ExecutorAway
        super().conclude(analyses, scorers)


@pytest.fixture
def pool(settings: Settings) -> Iterator[PreparationPool]:
    one = settings.model_copy(update={"preparation_processes": 1})
    with preparation_pool(one) as pool:
        assert pool is not None
        yield pool
        # One that a failed test left stopped would never end.
        signal_preparation(signal.SIGCONT)


@pytest.fixture
def step(archive: Archive, database: Database, shipped_predictor: Predictor) -> AnalyseStep:
    scorers = Scorers({ModelKind.PROFILE: Scorer(shipped_predictor)})
    return AnalyseStep(database, archive.storage, FixedScorers(scorers))


@pytest.fixture
def worker(
    database: Database, settings: Settings, step: AnalyseStep, pool: PreparationPool
) -> PipelinedWorker:
    return PipelinedWorker(database, settings, step, threading.Event(), pool=pool)


def receive_circles(archive: Archive, *keys: str) -> list[int]:
    return [receive(archive, build_circle_opt(key=key), at=EARLIER) for key in keys]


def jobs(database: Database) -> dict[str, JobRow]:
    with database.reading() as session:
        found = session.exec(select(JobRow).where(JobRow.kind == JobKind.ANALYSE)).all()
        return {job.subject: job for job in found}


def predicted(database: Database) -> list[int]:
    with database.reading() as session:
        return sorted(session.exec(select(PredictionRow.instance_key)).all())


def work_until_settled(worker: PipelinedWorker, database: Database) -> None:
    """Work, with the waits between attempts taken out, until every job is done or failed."""

    def is_settled() -> bool:
        with database.transaction() as session:
            for row in session.exec(select(JobRow)).all():
                row.available_at = 0.0
        worker.run_once()
        settled = {JobStatus.DONE, JobStatus.FAILED}
        return all(job.status in settled for job in jobs(database).values())

    assert wait_until(is_settled, PATIENCE_SECONDS)


def kill_preparation() -> None:
    signal_preparation(signal.SIGKILL)


def signal_preparation(number: signal.Signals) -> None:
    for process in multiprocessing.active_children():
        os.kill(process.pid or 0, number)


def test_scans_end_as_they_do_in_one_process(
    worker: PipelinedWorker, archive: Archive, database: Database
) -> None:
    good = receive_circles(archive, "a", "b", "c")
    line = receive(archive, build_line_opt(key="d"), at=EARLIER)
    waiting = receive(archive, build_circle_opt(key="e"))

    assert wait_until(lambda: not worker.run_once() and len(predicted(database)) >= 4, 120)

    with database.reading() as session:
        found = session.exec(select(PredictionRow)).all()
        pictures = {row.instance_key: row.preview_key for row in found}
        statuses = {row.instance_key: row.status for row in found}
    assert {key: statuses[key] for key in good} == dict.fromkeys(good, PredictionStatus.FINAL)
    assert statuses[line] == PredictionStatus.NOT_ASSESSABLE
    assert all(archive.storage.exists(pictures[key]) for key in good)
    # Its localizer may have been waited for, or its patience may be over by now.
    assert jobs(database)[str(waiting)].attempts <= 1


def test_process_that_dies_costs_only_its_own_scan_an_attempt(
    worker: PipelinedWorker, pool: PreparationPool, archive: Archive, database: Database
) -> None:
    keys = receive_circles(archive, "a", "b", "c")
    pool.wait_until_ready()
    signal_preparation(signal.SIGSTOP)
    worker.run_once()
    kill_preparation()

    work_until_settled(worker, database)

    assert predicted(database) == keys
    assert [jobs(database)[str(key)].attempts for key in keys] == [2, 1, 1]
    assert jobs(database)[str(keys[0])].error == "The process that prepared the scan died."


def test_process_that_hangs_costs_only_its_own_scan_an_attempt(
    worker: PipelinedWorker, pool: PreparationPool, archive: Archive, database: Database
) -> None:
    keys = receive_circles(archive, "a", "b", "c")
    pool.wait_until_ready()
    signal_preparation(signal.SIGSTOP)
    [preparer] = pool._preparers
    usual, preparer.patience_seconds = preparer.patience_seconds, 3.0

    def has_failed() -> bool:
        worker.run_once()
        return jobs(database)[str(keys[0])].error is not None

    assert wait_until(has_failed, PATIENCE_SECONDS)
    preparer.patience_seconds = usual
    work_until_settled(worker, database)

    assert predicted(database) == keys
    assert [jobs(database)[str(key)].attempts for key in keys] == [2, 1, 1]
    assert jobs(database)[str(keys[0])].error == str(PreparationHung())


def test_process_that_died_idle_costs_nothing(
    worker: PipelinedWorker, pool: PreparationPool, archive: Archive, database: Database
) -> None:
    pool.wait_until_ready()
    kill_preparation()
    for process in multiprocessing.active_children():
        process.join(PATIENCE_SECONDS)
    keys = receive_circles(archive, "a")

    work_until_settled(worker, database)

    assert predicted(database) == keys


def test_storage_that_is_away_costs_no_attempt(
    worker: PipelinedWorker, pool: PreparationPool, archive: Archive, database: Database
) -> None:
    keys = receive_circles(archive, "a", "b")
    pool.wait_until_ready()
    away = archive.storage.root.with_name("away")
    archive.storage.root.rename(away)

    with pytest.raises(InfrastructureError):
        wait_until(lambda: not worker.run_once(), PATIENCE_SECONDS)

    assert [(job.status, job.attempts) for job in jobs(database).values()] == [
        (JobStatus.QUEUED, 0)
    ] * 2
    away.rename(archive.storage.root)
    work_until_settled(worker, database)
    assert predicted(database) == keys


def test_worker_goes_on_after_something_was_away_while_its_processes_were_full(
    worker: PipelinedWorker, archive: Archive, database: Database, step: AnalyseStep
) -> None:
    keys = receive_circles(archive, *"abcdef")
    worker.step = executed = StepWithExecutor(database, archive.storage, step.models)
    assert wait_until(lambda: bool(worker.run_once() and len(worker._batch)), PATIENCE_SECONDS)
    # With more to come the processes are full when the first is due.
    signal_preparation(signal.SIGSTOP)
    executed.away.set()
    with pytest.raises(InfrastructureError):
        wait_until(lambda: not worker.run_once(), PATIENCE_SECONDS)
    signal_preparation(signal.SIGCONT)
    executed.away.clear()

    work_until_settled(worker, database)

    assert predicted(database) == keys
    assert {job.attempts for job in jobs(database).values()} == {1}


def test_what_could_not_be_given_back_is_when_the_processes_are_full(
    worker: PipelinedWorker, archive: Archive, database: Database, pool: PreparationPool
) -> None:
    receive_circles(archive, *"abc")
    pool.wait_until_ready()
    signal_preparation(signal.SIGSTOP)
    worker.run_once()
    # What is left when the database was away, too.
    worker._owed = [lease.claimed for lease in worker._held.values()]
    worker._held.clear()

    worker.run_once()

    assert {job.status for job in jobs(database).values()} == {JobStatus.QUEUED}


def test_job_tried_before_is_worked_on_with_nothing_beside_it(
    worker: PipelinedWorker, archive: Archive, database: Database
) -> None:
    tried, *fresh = receive_circles(archive, "a", "b")
    with database.transaction() as session:
        ledger.claim(session, JobKind.ANALYSE, "killed", 1, -1)

    worker.run_once()

    found = jobs(database)
    assert found[str(tried)].attempts == 2
    assert [found[str(key)].attempts for key in fresh] == [0]
    work_until_settled(worker, database)
    assert predicted(database) == [tried, *fresh]


def test_scan_that_fails_in_the_end_takes_none_of_its_batch_with_it(
    worker: PipelinedWorker, archive: Archive, database: Database
) -> None:
    gone, kept = receive_circles(archive, "a", "b")
    worker.run_once()
    with database.transaction() as session:
        session.delete(session.get_one(InstanceRow, gone))

    work_until_settled(worker, database)

    assert predicted(database) == [kept]
    assert {key: job.status for key, job in jobs(database).items()} == {
        str(gone): JobStatus.FAILED,
        str(kept): JobStatus.DONE,
    }


def test_lease_is_prolonged_while_a_scan_is_prepared(
    worker: PipelinedWorker, pool: PreparationPool, archive: Archive, database: Database
) -> None:
    (key,) = receive_circles(archive, "a")
    pool.wait_until_ready()
    worker.settings = worker.settings.model_copy(update={"lease_seconds": 0.3})
    signal_preparation(signal.SIGSTOP)
    worker.run_once()
    first = jobs(database)[str(key)].lease_until

    assert wait_until(lambda: bool(worker.run_once() and lease_of(database, key) > first), 60)

    signal_preparation(signal.SIGCONT)
    work_until_settled(worker, database)
    assert predicted(database) == [key]


def lease_of(database: Database, key: int) -> float:
    return jobs(database)[str(key)].lease_until or 0.0


def test_worker_that_stops_gives_back_what_it_holds(
    worker: PipelinedWorker, pool: PreparationPool, archive: Archive, database: Database
) -> None:
    receive_circles(archive, "a", "b")
    pool.wait_until_ready()
    worker.run_once()
    worker.stopping.set()

    worker.run()

    assert {(job.status, job.attempts) for job in jobs(database).values()} <= {
        (JobStatus.QUEUED, 0),
        (JobStatus.DONE, 1),
    }


def test_urgent_scan_is_taken_before_those_that_wait(
    worker: PipelinedWorker, archive: Archive, database: Database
) -> None:
    keys = receive_circles(archive, "a", "b", "c", "d")
    with database.transaction() as session:
        for row in session.exec(select(JobRow)).all():
            row.priority = 0 if row.subject == str(keys[-1]) else -10

    worker.run_once()

    assert jobs(database)[str(keys[-1])].status != JobStatus.QUEUED
    work_until_settled(worker, database)

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from core import ledger
from core.database import Database, database_seconds
from core.settings import Settings
from core.tables.instances import InstanceRow
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.worker import Worker
from dicom_node.delivery import retaining
from dicom_node.delivery.retaining import (
    INTERVAL_SECONDS,
    RetentionStep,
    RetentionStopped,
    run_retention,
)
from dicom_node.storage.archive import Archive
from dicom_node.storage.duplicate_policy import DuplicatePolicy
from dicom_node.storage.ingest import ingest
from dicom_node.storage.retention.policy import RetentionPolicy
from tests.builders.kept_study import NOW, days_ago, encode_raw, keep_raw, path
from tests.builders.received import open_test_archive

BY_AGE = RetentionPolicy(age=timedelta(days=30))


@pytest.fixture
def archive(settings: Settings, database: Database) -> Archive:
    return open_test_archive(settings, database)


def step_of(archive: Archive, policy: RetentionPolicy = BY_AGE) -> RetentionStep:
    return RetentionStep(archive, policy, 60.0, threading.Event(), clock=lambda: NOW)


def worker_of(settings: Settings, step: RetentionStep) -> Worker:
    return Worker(step.archive.database, settings, step, step.stopping)


def jobs(archive: Archive) -> list[JobRow]:
    statement = select(JobRow).where(col(JobRow.kind) == JobKind.RETAIN).order_by(col(JobRow.id))
    with archive.database.reading() as session:
        return list(session.exec(statement).all())


def removed(archive: Archive) -> int:
    with archive.database.reading() as session:
        rows = session.exec(select(InstanceRow)).all()
    return sum(row.bytes_removed_at is not None for row in rows)


def test_job_does_its_work_and_waits_for_the_next_hour(
    archive: Archive, settings: Settings
) -> None:
    key = keep_raw(archive, "1", days_ago(31))
    step = step_of(archive)
    step.schedule()
    [before] = jobs(archive)

    assert worker_of(settings, step).run_once() == 1

    assert not path(archive, key).exists()
    [after] = jobs(archive)
    assert (after.id, after.status, after.attempts) == (before.id, JobStatus.QUEUED, 0)
    assert after.available_at >= before.available_at + INTERVAL_SECONDS
    assert worker_of(settings, step).run_once() == 0


def test_many_processes_share_one_job(archive: Archive) -> None:
    for _ in range(3):
        step_of(archive).schedule()

    assert [job.subject for job in jobs(archive)] == ["archive"]


def test_two_jobs_become_one(archive: Archive, settings: Settings) -> None:
    """Two processes that start at once on PostgreSQL may both have found none."""
    with archive.database.transaction() as session:
        ledger.enqueue_all(session.connection(), JobKind.RETAIN, ["archive", "archive"])
    worker = worker_of(settings, step_of(archive))

    assert [worker.run_once() for _ in range(3)] == [1, 1, 0]

    assert sorted(job.status for job in jobs(archive)) == [JobStatus.DONE, JobStatus.QUEUED]


def test_nothing_is_scheduled_where_everything_is_kept(
    archive: Archive, settings: Settings
) -> None:
    step = step_of(archive, RetentionPolicy())
    step.schedule()
    assert jobs(archive) == []

    step_of(archive).schedule()
    worker_of(settings, step).run_once()

    assert [job.status for job in jobs(archive)] == [JobStatus.DONE]


def test_file_of_replaced_content_goes_where_everything_is_kept(
    archive: Archive, settings: Settings
) -> None:
    key = keep_raw(archive, "1", days_ago(1))
    former = path(archive, key)
    replacing = replace(archive, duplicates=DuplicatePolicy.REPLACE)
    ingest(replacing, encode_raw("1", StudyDescription="corrected"))
    step = step_of(archive, RetentionPolicy())

    step.schedule()
    with archive.database.transaction() as session:
        [job] = session.exec(select(JobRow).where(col(JobRow.kind) == JobKind.RETAIN)).all()
        assert job.available_at > database_seconds(session)
        job.available_at = 0.0
    worker_of(settings, step).run_once()

    assert not former.exists()
    assert path(archive, key).exists()
    assert [job.status for job in jobs(archive)] == [JobStatus.DONE]


def test_stopping_ends_a_run_between_two_studies_and_its_job_waits(
    archive: Archive, settings: Settings
) -> None:
    for number in range(3):
        keep_raw(archive, str(number), days_ago(31))
    step = step_of(archive)
    step.schedule()
    step.stopping.set()

    with pytest.raises(RetentionStopped):
        worker_of(settings, step).run_once()

    assert removed(archive) == 0
    assert [(job.status, job.attempts) for job in jobs(archive)] == [(JobStatus.QUEUED, 0)]


def test_failed_run_is_told_and_tried_at_the_next_time(
    archive: Archive, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(retaining, "remove", fail)
    step = step_of(archive)
    step.schedule()

    once = settings.model_copy(update={"maximum_attempts": 1})
    worker_of(once, step).run_once()

    failed, waiting = jobs(archive)
    assert (failed.status, failed.error) == (JobStatus.FAILED, "Unexpected ZeroDivisionError")
    assert waiting.status == JobStatus.QUEUED
    assert waiting.available_at >= failed.available_at + INTERVAL_SECONDS


def test_loop_works_until_it_is_stopped(archive: Archive, settings: Settings) -> None:
    key = keep_raw(archive, "1", days_ago(31))
    step = step_of(archive)
    loop = threading.Thread(target=run_retention, args=(worker_of(settings, step), step))
    loop.start()
    try:
        for _ in range(600):
            if jobs(archive) and not path(archive, key).exists():
                break
            step.stopping.wait(0.1)
    finally:
        step.stopping.set()
        loop.join()

    assert not path(archive, key).exists()
    assert len(jobs(archive)) == 1

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from sqlmodel import func, select, true

from core import deployment_jobs, ledger
from core.clock import utc_now
from core.database import Database
from core.deployment_job_upkeep import GPU_PATIENCE, fail_without_gpu, remove_finished
from core.deployment_jobs import (
    TooManyJobs,
    begin_job,
    cancel_job,
    complete_job,
    fail_job,
    find_job,
    list_jobs,
    remove_job,
    unpacked,
)
from core.errors import RecordNotFound
from core.ledger import LeaseLost
from core.tables.deployment_jobs import DeploymentJobRow, DeploymentJobState
from core.tables.jobs import JobKind, JobRow, JobStatus
from tests.builders.deployment_job import claim_jobs, give_job

_PREDICTIONS = [{"id": "dense_1", "values": [[1.0]]}]


def found(database: Database, job_id: str) -> DeploymentJobRow:
    with database.reading() as session:
        return find_job(session, job_id)


def ledger_jobs(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(JobRow)).one()


def complete(database: Database, job_id: str) -> None:
    (claimed,) = claim_jobs(database)
    assert claimed.subject == job_id
    with database.transaction() as session:
        begin_job(session, claimed)
    with database.transaction() as session:
        complete_job(session, claimed, _PREDICTIONS)


def test_a_job_goes_from_queued_to_running_to_completed(database: Database) -> None:
    job_id = give_job(database)
    assert found(database, job_id).state == DeploymentJobState.QUEUED
    (claimed,) = claim_jobs(database)
    with database.transaction() as session:
        begin_job(session, claimed)
    running = found(database, job_id)
    with database.transaction() as session:
        complete_job(session, claimed, _PREDICTIONS)
    completed = found(database, job_id)

    assert (running.state, running.finished_at) == (DeploymentJobState.RUNNING, None)
    assert completed.state == DeploymentJobState.COMPLETED
    assert completed.running_at is not None
    assert completed.finished_at is not None
    assert completed.created_at <= completed.running_at <= completed.finished_at
    assert unpacked(completed.request) == {"input_data": [{"values": [[1.0]]}]}
    assert unpacked(completed.predictions or b"") == _PREDICTIONS


def test_a_cancelled_job_is_not_begun(database: Database) -> None:
    job_id = give_job(database)
    with database.transaction() as session:
        cancel_job(session, job_id)

    assert found(database, job_id).state == DeploymentJobState.CANCELED
    assert claim_jobs(database) == []


def test_a_job_cancelled_while_it_runs_keeps_no_result(database: Database) -> None:
    job_id = give_job(database)
    (claimed,) = claim_jobs(database)
    with database.transaction() as session:
        begin_job(session, claimed)
    with database.transaction() as session:
        cancel_job(session, job_id)
    with pytest.raises(LeaseLost), database.transaction() as session:
        complete_job(session, claimed, _PREDICTIONS)
    with database.transaction() as session:
        fail_job(session, job_id, "scoring_failed", "too late")

    cancelled = found(database, job_id)
    assert (cancelled.state, cancelled.predictions) == (DeploymentJobState.CANCELED, None)


def cancel(database: Database, job_id: str) -> None:
    with database.transaction() as session:
        cancel_job(session, job_id)


def test_a_job_cancelled_while_it_begins_stays_cancelled(database: Database) -> None:
    job_id = give_job(database)
    (claimed,) = claim_jobs(database)
    with ThreadPoolExecutor(1) as threads:
        with database.transaction() as session:
            begin_job(session, claimed)
            cancelling = threads.submit(cancel, database, job_id)
            # It ends, or waits for this transaction.
            wait([cancelling], 1.0)
        cancelling.result()

    assert found(database, job_id).state == DeploymentJobState.CANCELED


def test_a_job_cancelled_before_it_begins_is_left(database: Database) -> None:
    job_id = give_job(database)
    (claimed,) = claim_jobs(database)
    cancel(database, job_id)

    with pytest.raises(LeaseLost), database.transaction() as session:
        begin_job(session, claimed)
    assert found(database, job_id).state == DeploymentJobState.CANCELED


def test_a_finished_job_cannot_be_cancelled(database: Database) -> None:
    job_id = give_job(database)
    complete(database, job_id)
    with database.transaction() as session:
        cancel_job(session, job_id)

    assert found(database, job_id).state == DeploymentJobState.COMPLETED


def test_a_removed_job_leaves_nothing(database: Database) -> None:
    job_id = give_job(database)
    with database.transaction() as session:
        remove_job(session, job_id)

    assert ledger_jobs(database) == 0
    with pytest.raises(RecordNotFound):
        found(database, job_id)


def test_a_third_job_of_a_deployment_waits_and_one_of_another_does_not(database: Database) -> None:
    first, second, third = (give_job(database) for _ in range(3))
    other = give_job(database, deployment_id="another")
    claims = claim_jobs(database, limit=4)
    with database.transaction() as session:
        begun = [begin_job(session, claimed) for claimed in claims]

    assert [row.id if row else None for row in begun] == [first, second, None, other]
    assert found(database, third).state == DeploymentJobState.QUEUED
    with database.reading() as session:
        (waiting,) = session.exec(select(JobRow).where(JobRow.subject == third)).all()
    assert (waiting.status, waiting.attempts) == (JobStatus.QUEUED, 0)


def test_a_full_queue_takes_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_jobs, "MOST_WAITING", 2)
    kept = [give_job(database) for _ in range(2)]
    with pytest.raises(TooManyJobs):
        give_job(database)
    complete(database, kept[0])

    give_job(database)
    assert ledger_jobs(database) == 3


def test_a_retried_job_begins_anew(database: Database) -> None:
    job_id = give_job(database)
    (claimed,) = claim_jobs(database)
    with database.transaction() as session:
        ledger.fail(session, claimed, "it broke", retry=False, maximum_attempts=1)
        fail_job(session, job_id, "scoring_failed", "it broke")
    failed = found(database, job_id)
    with database.transaction() as session:
        ledger.requeue(session, claimed.job_id)
    (again,) = claim_jobs(database)
    with database.transaction() as session:
        begin_job(session, again)

    assert (failed.state, failed.failure) == (DeploymentJobState.FAILED, "it broke")
    assert found(database, job_id).state == DeploymentJobState.RUNNING
    assert found(database, job_id).failure == ""


def test_jobs_are_listed_newest_first(database: Database) -> None:
    jobs = [give_job(database) for _ in range(3)]
    with database.reading() as session:
        rows, total = list_jobs(session, 1, 1, true())

    assert ([row.id for row in rows], total) == ([jobs[1]], 3)


def test_finished_jobs_go_after_their_time_and_waiting_ones_stay(database: Database) -> None:
    done, waiting = give_job(database), give_job(database)
    complete(database, done)
    now = utc_now()
    with database.transaction() as session:
        early = remove_finished(session, now - timedelta(days=1))
    with database.transaction() as session:
        late = remove_finished(session, now + timedelta(days=1))

    assert (early, late) == (0, 1)
    assert found(database, waiting).state == DeploymentJobState.QUEUED


def test_the_oldest_finished_jobs_go_where_all_hold_too_much(database: Database) -> None:
    jobs = [give_job(database) for _ in range(3)]
    for job_id in jobs:
        complete(database, job_id)
    room = sum(found(database, job_id).size_bytes for job_id in jobs[1:])
    with database.transaction() as session:
        removed = remove_finished(session, utc_now() - timedelta(days=1), room)

    assert removed == 1
    with pytest.raises(RecordNotFound):
        found(database, jobs[0])


def test_a_job_for_a_gpu_fails_where_nobody_has_one(database: Database) -> None:
    job_id = give_job(database, needs_gpu=True, hardware="GPU")
    late = utc_now() + 2 * GPU_PATIENCE
    assert claim_jobs(database) == []
    with database.transaction() as session:
        early = fail_without_gpu(session, utc_now())
    with database.transaction() as session:
        failed = fail_without_gpu(session, late)

    assert (early, failed) == (0, 1)
    row = found(database, job_id)
    assert (row.state, row.failure_code) == (DeploymentJobState.FAILED, "hardware_unavailable")
    assert "GPU" in row.failure


def test_a_job_cancelled_while_it_is_given_up_ends_one_way(database: Database) -> None:
    job_id = give_job(database, needs_gpu=True, hardware="GPU")
    with ThreadPoolExecutor(1) as threads:
        with database.transaction() as session:
            failed = fail_without_gpu(session, utc_now() + 2 * GPU_PATIENCE)
            cancelling = threads.submit(cancel, database, job_id)
            # It ends, or waits for this transaction.
            wait([cancelling], 1.0)
        cancelling.result()

    assert failed == 1
    row = found(database, job_id)
    assert (row.state, row.failure_code) == (DeploymentJobState.FAILED, "hardware_unavailable")
    assert ledger_jobs(database) == 0


def test_a_job_for_a_gpu_waits_while_somebody_works_on_one(database: Database) -> None:
    give_job(database, needs_gpu=True)
    waiting = give_job(database, needs_gpu=True)
    claim_jobs(database, JobKind.SCORE_JOB_GPU)
    with database.transaction() as session:
        failed = fail_without_gpu(session, utc_now() + 2 * GPU_PATIENCE)

    assert failed == 0
    assert found(database, waiting).state == DeploymentJobState.QUEUED

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from core import ledger
from core.clock import utc_now
from core.database import Database, database_seconds
from core.errors import RecordNotFound
from core.ledger import AT_ONCE_SECONDS
from core.queue import (
    OPEN,
    QueueCount,
    WaitReason,
    count_before,
    count_left_lying,
    count_open,
    find_job,
    list_queue,
    queue_statement,
    role_of,
)
from core.tables.jobs import JobKind, JobRow, JobStatus
from tests.fixtures.query_plan import plan_of, reads_a_table_whole


def _add(database: Database, seconds: float = 0, **values: Any) -> int:
    """Add a job; moments are seconds from the database's own clock."""
    with database.transaction() as session:
        now = database_seconds(session)
        if "lease_until" in values:
            values["lease_until"] += now
        row = JobRow(
            **{
                "kind": JobKind.ANALYSE,
                "subject": "1",
                "available_at": now + seconds,
                "created_at": utc_now() + timedelta(seconds=min(seconds, 0)),
                **values,
            }
        )
        session.add(row)
        session.flush()
        assert row.id is not None
        return row.id


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, WaitReason.ITS_TURN),
        ({"seconds": -3600}, WaitReason.NOBODY_WORKS),
        ({"seconds": 90, "attempts": 2, "error": "x"}, WaitReason.NEXT_ATTEMPT),
        ({"status": JobStatus.RUNNING, "lease_until": 90}, WaitReason.BEING_WORKED_ON),
        ({"status": JobStatus.RUNNING, "lease_until": -5}, WaitReason.WORKER_LOST),
        ({"status": JobStatus.FAILED, "seconds": -3600}, WaitReason.STOPPED),
        ({"status": JobStatus.DONE, "seconds": -3600}, WaitReason.DONE),
    ],
)
def test_a_job_says_why_it_waits(
    database: Database, values: dict[str, Any], reason: WaitReason
) -> None:
    key = _add(database, **values)

    with database.reading() as session:
        job = find_job(session, key)

    assert job.reason is reason
    # Ninety seconds, less what this test took.
    is_counted = reason in {WaitReason.NEXT_ATTEMPT, WaitReason.BEING_WORKED_ON}
    assert (job.seconds is not None and 30 < job.seconds <= 90) if is_counted else not job.seconds


def test_a_job_that_waits_for_nothing_is_as_old_as_it_is(database: Database) -> None:
    new = _add(database, available_at=AT_ONCE_SECONDS)
    old = _add(database, available_at=AT_ONCE_SECONDS, created_at=utc_now() - timedelta(hours=1))

    with database.reading() as session:
        reasons = [find_job(session, key).reason for key in (new, old)]

    assert reasons == [WaitReason.ITS_TURN, WaitReason.NOBODY_WORKS]


def test_an_old_job_waits_its_turn_while_somebody_works_on_its_kind(database: Database) -> None:
    old = _add(database, -3600)
    _add(database, status=JobStatus.RUNNING, lease_until=90, kind=JobKind.REPORT)
    with database.reading() as session:
        assert find_job(session, old).reason is WaitReason.NOBODY_WORKS

    _add(database, status=JobStatus.RUNNING, lease_until=90)

    with database.reading() as session:
        assert find_job(session, old).reason is WaitReason.ITS_TURN


def test_jobs_are_left_lying_where_no_process_of_their_role_holds_one(database: Database) -> None:
    _add(database)
    _add(database, 90, status=JobStatus.QUEUED)
    for kind in (JobKind.ANALYSE, JobKind.RESCORE, JobKind.REPORT):
        _add(database, -3600, kind=kind)
    _add(database, status=JobStatus.RUNNING, lease_until=-5)
    with database.reading() as session:
        before = count_left_lying(session)

    _add(database, status=JobStatus.RUNNING, lease_until=90)

    with database.reading() as session:
        after = count_left_lying(session)
    assert (before, after) == ({"infer": 3, "deliver": 1}, {"deliver": 1})


def test_job_that_was_just_added_is_not_left_lying(database: Database) -> None:
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, "1")
        assert count_left_lying(session) == {}
        [job] = session.exec(select(JobRow)).all()
        job.created_at -= timedelta(hours=1)
        session.flush()
        assert count_left_lying(session) == {"infer": 1}


def test_queue_is_counted_and_listed_without_what_is_done(database: Database) -> None:
    done = _add(database, status=JobStatus.DONE)
    failed = _add(database, status=JobStatus.FAILED)
    waiting = [_add(database), _add(database), _add(database, kind=JobKind.REPORT)]

    with database.reading() as session:
        counts = count_open(session)
        everything = [job.row.id for job in list_queue(session, 50)]
        reports = [job.row.id for job in list_queue(session, 50, kind=JobKind.REPORT)]
        finished = [job.row.id for job in list_queue(session, 50, [JobStatus.DONE])]
        newest = [job.row.id for job in list_queue(session, 2)]

    assert counts == [
        QueueCount("analyse", "failed", 1),
        QueueCount("analyse", "queued", 2),
        QueueCount("report", "queued", 1),
    ]
    assert everything == [*reversed(waiting), failed]
    assert reports == [waiting[2]]
    assert finished == [done]
    assert newest == [waiting[2], waiting[1]]


def test_jobs_before_one_are_those_taken_sooner(database: Database) -> None:
    first = _add(database)
    urgent = _add(database, priority=5)
    last = _add(database)
    _add(database, kind=JobKind.REPORT, priority=9)

    with database.reading() as session:
        before = [count_before(session, session.get_one(JobRow, k)) for k in (first, urgent, last)]

    assert before == [1, 0, 2]


def test_unknown_job_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(RecordNotFound):
        find_job(session, 7)


def test_what_was_ever_done_is_not_read_to_list_the_queue(database: Database) -> None:
    for statement in (queue_statement(50, OPEN), queue_statement(50, OPEN, JobKind.REPORT)):
        plan = plan_of(database, statement)

        assert "ix_jobs_claim" in plan, plan
        assert not reads_a_table_whole(plan), plan


def test_each_kind_is_somebodys_work() -> None:
    of_infer = {JobKind.ANALYSE, JobKind.RESCORE, JobKind.SCORE_TENSORS}
    of_infer |= {JobKind.SCORE_JOB, JobKind.SCORE_JOB_GPU}
    assert {role_of(kind) for kind in of_infer} == {"infer"}
    assert {role_of(kind) for kind in set(JobKind) - of_infer} == {"deliver"}

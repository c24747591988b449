import threading

import pytest
from sqlmodel import select

from core import ledger
from core.changes import changes_after
from core.claimable import lock_claimable
from core.database import Database, database_seconds
from core.ledger import Claim, LeaseLost
from core.tables.jobs import JobKind, JobRow, JobStatus

LEASE, ATTEMPTS = 60.0, 3


def add_jobs(database: Database, count: int, priority: int = 0) -> None:
    with database.transaction() as session:
        for number in range(count):
            ledger.enqueue(session, JobKind.ANALYSE, f"{priority}-{number}", priority)


def take(
    database: Database, limit: int = 1, worker: str = "w", lease: float = LEASE
) -> list[Claim]:
    with database.transaction() as session:
        return ledger.claim(session, JobKind.ANALYSE, worker, limit, lease)


def job(database: Database, job_id: int) -> JobRow:
    with database.reading() as session:
        return session.exec(select(JobRow).where(JobRow.id == job_id)).one()


def fail(database: Database, claimed: Claim, retry: bool = True) -> bool:
    with database.transaction() as session:
        return ledger.fail(session, claimed, "no good", retry, ATTEMPTS)


def make_due(database: Database) -> None:
    with database.transaction() as session:
        for row in session.exec(select(JobRow)).all():
            row.available_at = 0.0


def test_claim_takes_higher_priority_first(database: Database) -> None:
    add_jobs(database, 1, priority=0)
    add_jobs(database, 1, priority=5)

    assert [claimed.subject for claimed in take(database, 2)] == ["5-0", "0-0"]


def test_job_added_before_the_clock_was_set_back_is_taken_at_once(database: Database) -> None:
    add_jobs(database, 1)
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, "later", delay_seconds=1.0)

    with database.transaction() as session:
        earlier = database_seconds(session) - 7200
        found = lock_claimable(session, JobKind.ANALYSE, earlier, 2)

    assert [row.subject for row in found] == ["0-0"]


def test_claimed_job_is_not_given_to_another(database: Database) -> None:
    add_jobs(database, 1)
    take(database)

    assert take(database, worker="other") == []


def test_job_of_dead_worker_comes_back_after_its_lease(database: Database) -> None:
    add_jobs(database, 1)
    (first,) = take(database, lease=-1)

    (second,) = take(database, worker="other")

    assert (second.job_id, second.attempt) == (first.job_id, 2)


def test_renewed_lease_holds_a_job_for_longer(database: Database) -> None:
    add_jobs(database, 1)
    (held,) = take(database, lease=-1)

    with database.transaction() as session:
        ledger.renew(session, held, LEASE)

    assert take(database, worker="other") == []


def test_renewing_a_lost_lease_is_refused(database: Database) -> None:
    add_jobs(database, 1)
    (late,) = take(database, lease=-1)
    take(database, worker="other")

    with pytest.raises(LeaseLost), database.transaction() as session:
        ledger.renew(session, late, LEASE)


def test_delayed_job_waits(database: Database) -> None:
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, "later", delay_seconds=60.0)
    assert take(database) == []

    make_due(database)

    assert [claimed.subject for claimed in take(database)] == ["later"]


def test_result_after_lost_lease_is_refused(database: Database) -> None:
    add_jobs(database, 1)
    (late,) = take(database, lease=-1)
    take(database, worker="other")

    with pytest.raises(LeaseLost), database.transaction() as session:
        ledger.finish(session, late)


def test_job_tried_before_is_claimed_alone(database: Database) -> None:
    add_jobs(database, 3)
    (first,) = take(database)
    fail(database, first)
    make_due(database)

    group = take(database, limit=3)

    assert [claimed.job_id for claimed in group] == [first.job_id]


def test_job_tried_before_is_not_claimed_beside_others(database: Database) -> None:
    add_jobs(database, 2)
    (first,) = take(database)
    fail(database, first)
    make_due(database)

    with database.transaction() as session:
        beside = ledger.claim(session, JobKind.ANALYSE, "w", 2, LEASE, beside=True)

    assert beside == []
    assert [claimed.job_id for claimed in take(database, limit=2)] == [first.job_id]


def test_group_leaves_out_jobs_tried_before(database: Database) -> None:
    add_jobs(database, 1, priority=1)
    (urgent,) = take(database)
    fail(database, urgent)
    add_jobs(database, 2, priority=2)
    make_due(database)

    assert [claimed.subject for claimed in take(database, limit=3)] == ["2-0", "2-1"]


def test_failed_attempt_waits_before_the_next(database: Database) -> None:
    add_jobs(database, 1)
    (claimed,) = take(database)

    assert fail(database, claimed) is True
    assert take(database) == []


def test_job_stops_after_its_attempts(database: Database) -> None:
    add_jobs(database, 1)
    for _ in range(ATTEMPTS):
        make_due(database)
        (claimed,) = take(database)
        again = fail(database, claimed)

    assert again is False
    kept = job(database, claimed.job_id)
    assert (kept.status, kept.error) == (JobStatus.FAILED, "no good")


def test_given_back_job_keeps_its_attempts(database: Database) -> None:
    add_jobs(database, 1)
    (claimed,) = take(database)
    with database.transaction() as session:
        ledger.give_back(session, claimed)

    (again,) = take(database)

    assert again.attempt == 1


def test_job_given_back_with_a_delay_waits(database: Database) -> None:
    add_jobs(database, 1)
    (claimed,) = take(database)
    with database.transaction() as session:
        ledger.give_back(session, claimed, delay_seconds=60)

    assert take(database) == []


def test_failed_job_can_be_queued_again(database: Database) -> None:
    add_jobs(database, 1)
    (claimed,) = take(database)
    fail(database, claimed, retry=False)

    with database.transaction() as session:
        assert ledger.requeue(session, claimed.job_id) is True
        assert ledger.requeue(session, claimed.job_id) is False

    (again,) = take(database)
    assert again.attempt == 1


def test_rolled_back_enqueue_leaves_no_job(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, "x")
        raise KeyError

    assert take(database) == []


def test_competing_workers_share_jobs_without_overlap(database: Database) -> None:
    add_jobs(database, 40)
    taken: list[int] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while claims := take(database, limit=3, worker=name):
            for claimed in claims:
                with database.transaction() as session:
                    ledger.finish(session, claimed)
            with lock:
                taken.extend(claimed.job_id for claimed in claims)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(set(taken))
    with database.reading() as session:
        left = session.exec(select(JobRow).where(JobRow.status != JobStatus.DONE)).all()
    assert left == []


def test_changes_have_no_gap_after_a_rollback(database: Database) -> None:
    add_jobs(database, 3)
    first, second, third = take(database, limit=3)
    fail(database, first, retry=False)
    with pytest.raises(LeaseLost), database.transaction() as session:
        ledger.fail(session, second, "x", False, ATTEMPTS)
        ledger.fail(session, first, "x", False, ATTEMPTS)
    fail(database, third, retry=False)

    with database.reading() as session:
        changes = [(change.number, change.subject) for change in changes_after(session, 0, 10)]

    assert changes == [(1, str(first.job_id)), (2, str(third.job_id))]

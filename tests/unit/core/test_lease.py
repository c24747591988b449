import time

import pytest

from core import ledger
from core.database import Database
from core.lease import Lease
from core.ledger import Claim, LeaseLost
from core.tables.jobs import JobKind

#: Short, and long enough for a busy machine to renew in time.
LEASE_SECONDS = 3.0


def claim(database: Database, worker: str, seconds: float) -> list[Claim]:
    with database.transaction() as session:
        return ledger.claim(session, JobKind.REPORT, worker, 1, seconds)


@pytest.fixture
def claimed(database: Database) -> Claim:
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.REPORT, "1")
    [found] = claim(database, "one", LEASE_SECONDS)
    return found


def test_work_that_takes_longer_than_its_lease_keeps_it(database: Database, claimed: Claim) -> None:
    with Lease(database, claimed, LEASE_SECONDS).held():
        time.sleep(1.5 * LEASE_SECONDS)
        assert claim(database, "another", LEASE_SECONDS) == []

    with database.transaction() as session:
        ledger.finish(session, claimed)


def test_without_it_another_takes_the_job(database: Database, claimed: Claim) -> None:
    time.sleep(1.5 * LEASE_SECONDS)

    assert [one.job_id for one in claim(database, "another", LEASE_SECONDS)] == [claimed.job_id]


def test_nothing_is_renewed_after_the_block(database: Database, claimed: Claim) -> None:
    with Lease(database, claimed, LEASE_SECONDS).held():
        pass
    time.sleep(1.5 * LEASE_SECONDS)

    assert claim(database, "another", LEASE_SECONDS) != []


def test_lost_lease_is_noticed_when_the_work_is_recorded(
    database: Database, claimed: Claim
) -> None:
    with database.transaction() as session:
        ledger.renew(session, claimed, -1.0)
    assert claim(database, "another", 60) != []

    with Lease(database, claimed, 0.1).held():
        time.sleep(0.5)

    with pytest.raises(LeaseLost), database.transaction() as session:
        ledger.finish(session, claimed)

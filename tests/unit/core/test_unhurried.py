import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from sqlmodel import Session, select

from arcuate.waiting import wait_until
from core import ledger
from core.database import Database, DatabaseAway
from core.ledger import Claim, has_waiting
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.unhurried import run_unhurried
from core.worker import Worker

_PATIENCE = 20.0


@dataclass
class Step:
    """Finishes each job; fails as the database does for as many times as it is told."""

    database: Database
    away: int = 0
    kind: JobKind = JobKind.READ_FIELD
    group_size: int = 1
    done: list[str] = field(default_factory=list)

    def run(self, claims: Sequence[Claim]) -> None:
        for claimed in claims:
            if self.away:
                self.away -= 1
                raise DatabaseAway
            with self.database.transaction() as session:
                ledger.finish(session, claimed)
            self.done.append(claimed.subject)

    def give_up(self, session: Session, claim: Claim, error: str) -> None:
        """Nothing."""


def enqueue(database: Database, *subjects: str) -> None:
    with database.transaction() as session:
        for subject in subjects:
            ledger.enqueue(session, JobKind.READ_FIELD, subject)


@pytest.mark.parametrize("away", [0, 2])
def test_everything_that_waits_is_worked_off(
    database: Database, settings: Settings, away: int
) -> None:
    step, stopping = Step(database, away), threading.Event()
    worker = Worker(database, settings, step, stopping)
    enqueue(database, "1", "2", "3")
    thread = threading.Thread(target=run_unhurried, args=(worker, stopping, 0.01))
    thread.start()
    try:
        assert wait_until(lambda: len(step.done) == 3, _PATIENCE)
        enqueue(database, "4")
        assert wait_until(lambda: len(step.done) == 4, _PATIENCE)
    finally:
        stopping.set()
        thread.join()

    assert step.done == ["1", "2", "3", "4"]
    with database.reading() as session:
        jobs = session.exec(select(JobRow)).all()
    assert {(job.status, job.attempts) for job in jobs} == {(JobStatus.DONE, 1)}


def test_only_a_job_of_the_kind_that_can_be_claimed_is_waiting(database: Database) -> None:
    def waits() -> bool:
        with database.reading() as session:
            return has_waiting(session, JobKind.READ_FIELD)

    with database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, "1")
        ledger.enqueue(session, JobKind.READ_FIELD, "2", delay_seconds=60)
    before = waits()
    enqueue(database, "3")
    during = waits()
    with database.transaction() as session:
        ledger.claim(session, JobKind.READ_FIELD, "worker", 1, 60)

    assert (before, during, waits()) == (False, True, False)

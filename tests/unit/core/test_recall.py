import pytest
from sqlmodel import select

from core import ledger
from core.database import Database
from core.recall import begin_anew, interrupt, withdraw
from core.tables.jobs import JobKind, JobRow, JobStatus


def add_failed_job(database: Database, subject: str = "7") -> None:
    with database.transaction() as session:
        ledger.enqueue(session, JobKind.ANALYSE, subject)
        [claimed] = ledger.claim(session, JobKind.ANALYSE, "w", 1, 60.0)
        ledger.fail(session, claimed, "no good", retry=False, maximum_attempts=3)


def jobs(database: Database) -> list[tuple[str, JobStatus, int]]:
    with database.reading() as session:
        rows = session.exec(select(JobRow)).all()
    return [(row.subject, JobStatus(row.status), row.attempts) for row in rows]


def test_work_withdrawn_has_failed_no_more(database: Database) -> None:
    add_failed_job(database)

    with database.transaction() as session:
        withdraw(session, JobKind.ANALYSE, ["7"])

    assert jobs(database) == [("7", JobStatus.DONE, 1)]


@pytest.mark.parametrize("is_known", [True, False])
def test_work_begun_anew_waits_with_all_its_attempts(database: Database, is_known: bool) -> None:
    if is_known:
        add_failed_job(database)

    with database.transaction() as session:
        begin_anew(session, JobKind.ANALYSE, "7")

    assert jobs(database) == [("7", JobStatus.QUEUED, 0)]


@pytest.mark.parametrize("is_running", [True, False])
def test_work_interrupted_is_done_from_its_beginning(database: Database, is_running: bool) -> None:
    if is_running:
        with database.transaction() as session:
            ledger.enqueue(session, JobKind.RESCORE, "7")
            [claimed] = ledger.claim(session, JobKind.RESCORE, "w", 1, 60.0)

    with database.transaction() as session:
        interrupt(session, JobKind.RESCORE, "7")

    assert jobs(database) == ([("7", JobStatus.QUEUED, 0)] if is_running else [])
    if is_running:
        with pytest.raises(ledger.LeaseLost), database.transaction() as session:
            ledger.finish(session, claimed)

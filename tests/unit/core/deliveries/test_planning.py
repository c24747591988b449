from core import ledger
from core.database import Database
from core.deliveries.destinations import disable_destination, remove_destination
from core.tables.destinations import CircuitState, DestinationRow
from core.tables.jobs import JobKind, JobStatus
from tests.builders.planned_delivery import FACTS, destination, jobs, plan


def test_report_goes_once_to_each_destination_a_rule_names(database: Database) -> None:
    pacs, web = destination(database, "pacs"), destination(database, "web", laterality="R")
    destination(database, "left", laterality="L")

    first = plan(database, "1.2.1")
    again = plan(database, "1.2.1")

    assert [row.destination_id for row in first] == [pacs, web]
    assert [row.id for row in again] == [row.id for row in first]
    assert [(job.subject, job.status) for job in jobs(database)] == [
        (str(pacs), "queued"),
        (str(web), "queued"),
    ]


def test_destination_that_is_off_is_planned_for_and_one_that_is_gone_is_not(
    database: Database,
) -> None:
    off = destination(database, "off")
    destination(database, "gone")
    with database.transaction() as session:
        disable_destination(session, "off")
        remove_destination(session, "gone")

    assert [row.destination_id for row in plan(database, "1.2.1")] == [off]


def test_nothing_is_planned_without_a_rule(database: Database) -> None:
    assert plan(database, "1.2.1") == []
    assert jobs(database) == []


def test_one_job_waits_however_much_is_planned(database: Database) -> None:
    destination(database)
    for number in range(3):
        plan(database, f"1.2.{number}")

    assert len(jobs(database)) == 1


def test_job_that_runs_does_not_count_for_what_is_planned_meanwhile(database: Database) -> None:
    destination(database)
    plan(database, "1.2.1")
    with database.transaction() as session:
        ledger.claim(session, JobKind.DELIVER, "worker", 1, 60)

    plan(database, "1.2.2")

    assert [job.status for job in jobs(database)] == [JobStatus.RUNNING, JobStatus.QUEUED]


def put_off(database: Database) -> None:
    with database.transaction() as session:
        [claimed] = ledger.claim(session, JobKind.DELIVER, "worker", 1, 60)
        ledger.give_back(session, claimed, 3600)


def is_due(database: Database) -> bool:
    with database.transaction() as session:
        return bool(ledger.claim(session, JobKind.DELIVER, "worker", 1, 60))


def test_job_that_waits_for_later_is_hastened_unless_the_destination_is_down(
    database: Database,
) -> None:
    key = destination(database)
    plan(database, "1.2.1")
    put_off(database)
    with database.transaction() as session:
        session.get_one(DestinationRow, key).circuit = CircuitState.OPEN
    plan(database, "1.2.2")
    assert not is_due(database)

    with database.transaction() as session:
        session.get_one(DestinationRow, key).circuit = CircuitState.CLOSED
    plan(database, "1.2.3", FACTS)
    assert is_due(database)

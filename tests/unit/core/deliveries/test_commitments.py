import pytest
from sqlmodel import col, select

from core.clock import utc_now
from core.database import Database
from core.deliveries.commitments import (
    begin_request,
    due_for_request,
    is_awaited,
    settle_commitment,
    take_request_back,
    write_off,
)
from core.deliveries.destinations import remove_destination
from core.deliveries.letting_go import let_go
from core.deliveries.outcomes import Arrived, record_delivered
from core.deliveries.waiting import take_waiting
from core.tables.changes import ChangeRow
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import DestinationRow
from tests.builders.planned_delivery import destination, jobs, plan

NO_SUCH_OBJECT = 0x0112


@pytest.fixture
def key(database: Database) -> int:
    """A destination that took two objects, one at once, and is to be asked about them."""
    made = destination(database)
    for uid in ("1.2.1", "1.2.2"):
        plan(database, uid)
    with database.transaction() as session:
        for row, uid, attempts in zip(
            session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all(),
            ("1.2.1", "1.2.2"),
            (1, 3),
            strict=True,
        ):
            row.attempts = attempts
            arrived = Arrived("1.2.840", uid, asks_commitment=True)
            record_delivered(session, session.get_one(DestinationRow, made), row, arrived)
    return made


def ask(database: Database, key: int, uid: str, wait_seconds: float = 60.0) -> int:
    with database.transaction() as session:
        due = due_for_request(session, key, 3)
        begin_request(session, due, uid, wait_seconds)
        return len(due)


def rows(database: Database) -> list[tuple[str, str | None]]:
    with database.reading() as session:
        return [
            (row.state, row.commitment)
            for row in session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()
        ]


def test_committed_objects_are_told(database: Database, key: int) -> None:
    assert ask(database, key, "1.9") == 2
    with database.transaction() as session:
        assert is_awaited(session, "1.9")
        assert settle_commitment(session, "1.9", {"1.2.1", "1.2.2"}, {}) == 2
        assert not is_awaited(session, "1.9")

    assert rows(database) == [("committed", "committed")] * 2
    with database.reading() as session:
        kinds = [row.kind for row in session.exec(select(ChangeRow)).all()]
    assert kinds.count("report_committed") == 2


def test_unknown_transaction_is_none_of_ours(database: Database, key: int) -> None:
    ask(database, key, "1.9")
    with database.transaction() as session:
        assert settle_commitment(session, "1.10", {"1.2.1"}, {}) == 0

    assert rows(database) == [("delivered", "asked")] * 2


def test_answer_to_an_earlier_request_counts(database: Database, key: int) -> None:
    ask(database, key, "1.9", wait_seconds=-1.0)
    ask(database, key, "1.10")
    with database.transaction() as session:
        assert settle_commitment(session, "1.9", {"1.2.1"}, {}) == 2

    assert rows(database) == [("committed", "committed"), ("delivered", "asked")]


def test_object_that_is_not_there_is_sent_once_more(database: Database, key: int) -> None:
    ask(database, key, "1.9")
    with database.transaction() as session:
        settle_commitment(session, "1.9", {"1.2.1"}, {"1.2.2": NO_SUCH_OBJECT})
    assert rows(database) == [("committed", "committed"), ("waiting", None)]
    assert jobs(database)[-1].status == "queued"

    with database.transaction() as session:
        again = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()[1]
        again.attempts = 2
        arrived = Arrived("1.2.840", "1.2.2", asks_commitment=True)
        record_delivered(session, session.get_one(DestinationRow, key), again, arrived)
    ask(database, key, "1.10")
    with database.transaction() as session:
        settle_commitment(session, "1.10", set(), {"1.2.2": NO_SUCH_OBJECT})
        row = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()[1]
        assert (row.state, row.commitment) == ("delivered", "not_committed")
        assert row.error == "not committed: the destination does not commit to it (0x0112)"


def test_destination_that_never_reports_is_asked_three_times(database: Database, key: int) -> None:
    asked = [ask(database, key, f"1.9.{n}", wait_seconds=-1.0) for n in range(5)]

    assert asked == [2, 2, 2, 0, 0]
    assert rows(database) == [("delivered", "not_committed")] * 2


def test_late_report_counts_after_it_was_written_off(database: Database, key: int) -> None:
    for number in range(4):
        ask(database, key, f"1.9.{number}", wait_seconds=-1.0)
    with database.transaction() as session:
        settle_commitment(session, "1.9.0", {"1.2.1", "1.2.2"}, {})

    assert rows(database) == [("committed", "committed")] * 2


def test_request_that_was_not_made_is_not_counted(database: Database, key: int) -> None:
    with database.transaction() as session:
        due = due_for_request(session, key, 3)
        begin_request(session, due, "1.9", 60.0)
        take_request_back(session, due)
    with database.transaction() as session:
        again = due_for_request(session, key, 3)
        assert [row.commitment_requests for row in again] == [0, 0]
        write_off(session, again, "it does not offer this")

    assert rows(database) == [("delivered", "not_committed")] * 2


def test_repeated_report_does_not_stop_what_is_sent_again(database: Database, key: int) -> None:
    ask(database, key, "1.9")
    missing = {"1.2.2": NO_SUCH_OBJECT}
    with database.transaction() as session:
        settle_commitment(session, "1.9", {"1.2.1"}, missing)
    with database.transaction() as session:
        # Sent again in vain, so that it waits for its third attempt.
        again = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()[1]
        again.attempts = 2
    with database.transaction() as session:
        settle_commitment(session, "1.9", {"1.2.1"}, missing)

    with database.reading() as session:
        again = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).all()[1]
    assert again.state == "waiting"
    assert again.available_at is not None


def test_nothing_is_sent_again_to_a_destination_that_was_removed(
    database: Database, key: int
) -> None:
    ask(database, key, "1.9")
    with database.transaction() as session:
        remove_destination(session, "pacs")
    with database.transaction() as session:
        settle_commitment(session, "1.9", {"1.2.1"}, {"1.2.2": NO_SUCH_OBJECT})

    # A delivery that waits would hold its study for ever.
    assert rows(database) == [("committed", "committed"), ("delivered", "not_committed")]


def test_what_was_let_go_while_it_arrived_is_not_sent_again(database: Database) -> None:
    made = destination(database)
    plan(database, "1.2.1")
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, made)
        [row] = take_waiting(session, pacs, 20)
        let_go(session, [row.instance_key], "corrected", utc_now())
        arrived = Arrived("1.2.840", "1.2.1", asks_commitment=True)
        record_delivered(session, pacs, row, arrived)
    ask(database, made, "1.9")

    with database.transaction() as session:
        assert settle_commitment(session, "1.9", set(), {"1.2.1": NO_SUCH_OBJECT}) == 1

    assert rows(database) == [("delivered", "not_committed")]

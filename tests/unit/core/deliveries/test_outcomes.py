from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from core.database import Database, database_seconds
from core.deliveries.letting_go import let_go
from core.deliveries.outcomes import (
    FAILURES_TO_OPEN,
    Arrived,
    Patience,
    record_delivered,
    record_down,
    record_failed,
    record_interrupted,
    record_refused,
)
from core.deliveries.pauses import pause_seconds
from core.deliveries.waiting import give_back, take_waiting
from core.tables.changes import ChangeRow
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState, DestinationRow
from tests.builders.planned_delivery import destination, plan

PATIENCE = Patience(attempts=3, longest_pause_seconds=60.0)
ARRIVED = Arrived("1.2.840.10008.5.1.4.1.1.7", "1.2.1")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def key(database: Database) -> int:
    made = destination(database)
    for number in range(3):
        plan(database, f"1.2.{number}")
    return made


def take(session: Session, key: int, limit: int = 20) -> list[DeliveryRow]:
    return take_waiting(session, session.get_one(DestinationRow, key), limit)


def changes(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(row.kind, row.subject) for row in session.exec(select(ChangeRow)).all()]


def test_what_waits_is_taken_in_order_and_given_back_unchanged(
    database: Database, key: int
) -> None:
    with database.transaction() as session:
        taken = take(session, key, 2)
        assert [(row.state, row.attempts) for row in taken] == [("sending", 1)] * 2
        give_back(session, taken)
    with database.transaction() as session:
        again = take(session, key)
        assert [row.id for row in again][:2] == [row.id for row in taken]
        assert [row.attempts for row in again] == [1, 1, 1]


def test_delivered_object_closes_the_circuit_and_is_told(database: Database, key: int) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        pacs.circuit, pacs.failures = CircuitState.HALF_OPEN, 4
        [row] = take(session, key)
        record_delivered(session, pacs, row, ARRIVED, lambda: NOON)
        assert (pacs.circuit, pacs.failures, pacs.last_success_at) == ("closed", 0, NOON)
        assert (row.state, row.delivered_at, row.available_at) == ("delivered", NOON, None)
        number = str(row.id)

    assert changes(database) == [("report_delivered", number)]


def test_refused_object_is_given_up_and_leaves_the_destination_well(
    database: Database, key: int
) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        row = take(session, key)[0]
        record_refused(session, pacs, row, "does not accept it", {})
        assert (row.state, row.error) == ("gave_up", "does not accept it")
        assert (pacs.circuit, pacs.last_error) == ("closed", "does not accept it")
        number = str(row.id)

    assert changes(database) == [("delivery_gave_up", number)]


def test_failed_object_waits_longer_each_time_and_alone(database: Database, key: int) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        row = take(session, key, 1)[0]
        record_failed(session, pacs, row, "500", PATIENCE)
        assert row.available_at is not None
        assert 3.9 < row.available_at - database_seconds(session) < 6.1
        # The others go on meanwhile, and when it is due it goes alone.
        assert [r.id for r in take(session, key)] != [row.id]
        row.available_at = 0.0
        assert [r.id for r in take(session, key)] == [row.id]


def fail(session: Session, pacs: DestinationRow, row: DeliveryRow, at: datetime) -> None:
    row.attempts += 1
    record_failed(session, pacs, row, "500", PATIENCE, lambda: at)


def test_object_is_given_up_only_where_others_arrive(database: Database, key: int) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        row = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).first()
        assert row is not None
        for minute in range(5):
            fail(session, pacs, row, NOON + timedelta(minutes=minute))
        assert row.state == "waiting"

        pacs.last_success_at = NOON + timedelta(minutes=2)
        fail(session, pacs, row, NOON + timedelta(minutes=6))
        assert (row.state, row.attempts) == ("gave_up", 6)


def test_success_before_it_began_to_fail_proves_nothing(database: Database, key: int) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        pacs.last_success_at = NOON - timedelta(minutes=1)
        row = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).first()
        assert row is not None
        for minute in range(9):
            fail(session, pacs, row, NOON + timedelta(minutes=minute))
        assert row.state == "waiting"


def test_circuit_opens_after_failures_in_a_row_and_then_tries_the_longest_waiting(
    database: Database, key: int
) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        row = session.exec(select(DeliveryRow).order_by(col(DeliveryRow.id))).first()
        assert row is not None
        for _ in range(FAILURES_TO_OPEN - 1):
            fail(session, pacs, row, NOON)
        assert pacs.circuit == "closed"
        fail(session, pacs, row, NOON)
        assert pacs.circuit == "open"
        assert pacs.retry_at is not None
        assert pacs.retry_at > NOON

        pacs.circuit = CircuitState.HALF_OPEN
        row.available_at = database_seconds(session) - 0.001
        session.flush()
        [tried] = take(session, key)
        assert tried.id != row.id


def test_destination_that_is_down_is_left_alone_for_longer_each_time(
    database: Database, key: int
) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        pauses = [record_down(pacs, "no answer", PATIENCE) for _ in range(6)]
        assert pauses[0] < 6.1 < pauses[1] < 12.1 < pauses[2]
        assert max(pauses) <= 60 * 1.2
        assert (pacs.circuit, pacs.failures, pacs.last_error) == ("open", 6, "no answer")


@pytest.mark.parametrize(("asked", "pause"), [(900.0, 900.0), (7200.0, 3600.0)])
def test_destination_that_asks_is_left_alone_for_so_long_but_no_longer_than_an_hour(
    database: Database, key: int, asked: float, pause: float
) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        paused = record_down(pacs, "503", PATIENCE, lambda: NOON, asked_pause_seconds=asked)
        assert (paused, pacs.retry_at) == (pause, NOON + timedelta(seconds=pause))


def test_destination_that_asks_for_little_is_not_tried_sooner_than_others(
    database: Database, key: int
) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        pauses = [record_down(pacs, "503", PATIENCE, asked_pause_seconds=1.0) for _ in range(6)]
        assert pauses[-1] > 40


def test_interruption_is_no_fault_of_the_destination(database: Database, key: int) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        row = take(session, key)[0]
        record_interrupted(session, pacs, row, "the process ended", PATIENCE)
        assert (pacs.failures, pacs.circuit) == (0, "closed")
        assert (row.state, row.attempts, row.error) == ("waiting", 1, "the process ended")
        assert row.available_at is not None
        assert row.available_at <= database_seconds(session)


@pytest.mark.parametrize("is_refused", [False, True])
def test_object_that_is_to_go_nowhere_any_more_is_not_tried_again(
    database: Database, key: int, is_refused: bool
) -> None:
    with database.transaction() as session:
        [row, *_] = take(session, key)
        let_go(session, [row.instance_key], "another goes instead", NOON)
        pacs = session.get_one(DestinationRow, key)

        if is_refused:
            record_refused(session, pacs, row, "0xC000", {})
        else:
            fail(session, pacs, row, NOON)

    assert (row.state, row.error) == (DeliveryState.GAVE_UP, "another goes instead")
    assert changes(database) == []


def test_pause_never_grows_beyond_the_longest() -> None:
    assert max(pause_seconds(10_000, 600.0) for _ in range(50)) <= 720
    assert {round(pause_seconds(3, 600.0), 6) for _ in range(5)} != {20.0}


@pytest.mark.parametrize("ends", [record_failed, record_interrupted])
def test_what_was_let_go_is_not_left_on_its_way(database: Database, key: int, ends: Any) -> None:
    with database.transaction() as session:
        pacs = session.get_one(DestinationRow, key)
        row = take(session, key)[0]
        let_go(session, [row.instance_key], "corrected", NOON)
        # As where it was taken at that very moment.
        row.state = DeliveryState.SENDING
        ends(session, pacs, row, "refused", PATIENCE)
        assert (row.state, row.available_at) == ("gave_up", None)

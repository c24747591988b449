import pytest
from sqlmodel import select

from core.database import Database
from core.deliveries.destinations import remove_destination
from core.deliveries.outcomes import record_refused
from core.deliveries.retrying import (
    DeliveryNotGivenUp,
    DeliveryUnderWay,
    dismiss_delivery,
    retry_delivery,
    retry_destination,
)
from core.errors import RecordNotFound
from core.tables.columns import key_of
from core.tables.deliveries import DeliveryRow, DeliveryState
from core.tables.destinations import CircuitState, DestinationRow
from tests.builders.planned_delivery import destination, plan


@pytest.fixture
def given_up(database: Database) -> int:
    """A delivery that was given up, of a destination that is down since."""
    key = destination(database)
    [row] = plan(database, "1.2.1")
    with database.transaction() as session:
        row = session.get_one(DeliveryRow, key_of(row))
        row.attempts = 9
        pacs = session.get_one(DestinationRow, key)
        record_refused(session, pacs, row, "no", {})
        pacs.circuit = CircuitState.OPEN
        return key_of(row)


def row_of(database: Database, key: int) -> DeliveryRow:
    with database.reading() as session:
        return session.get_one(DeliveryRow, key)


def test_delivery_is_sent_once_more_as_if_it_were_new(database: Database, given_up: int) -> None:
    with database.transaction() as session:
        dismiss_delivery(session, given_up)
        retry_delivery(session, given_up)

    row = row_of(database, given_up)
    assert (row.state, row.attempts, row.dismissed_at) == ("waiting", 0, None)
    with database.reading() as session:
        assert session.exec(select(DestinationRow.circuit)).one() == "closed"


def test_all_of_a_destination_are_sent_once_more(database: Database, given_up: int) -> None:
    plan(database, "1.2.2")
    with database.transaction() as session:
        assert retry_destination(session, "pacs") == 2

    assert row_of(database, given_up).state == "waiting"


def test_what_is_being_sent_is_left_alone(database: Database, given_up: int) -> None:
    with database.transaction() as session:
        session.get_one(DeliveryRow, given_up).state = DeliveryState.SENDING
        with pytest.raises(DeliveryUnderWay):
            retry_delivery(session, given_up)


def test_only_what_was_given_up_is_dismissed(database: Database, given_up: int) -> None:
    with database.transaction() as session:
        retry_delivery(session, given_up)
        with pytest.raises(DeliveryNotGivenUp):
            dismiss_delivery(session, given_up)
        with pytest.raises(RecordNotFound):
            dismiss_delivery(session, 99)


def test_nothing_is_sent_to_a_destination_that_is_gone(database: Database, given_up: int) -> None:
    with database.transaction() as session:
        remove_destination(session, "pacs")
    assert row_of(database, given_up).dismissed_at is not None
    with database.transaction() as session:
        with pytest.raises(RecordNotFound):
            retry_delivery(session, given_up)
        with pytest.raises(RecordNotFound):
            retry_destination(session, "pacs")


def test_what_was_dismissed_is_sent_by_name_alone(database: Database, given_up: int) -> None:
    with database.transaction() as session:
        dismiss_delivery(session, given_up)
    with database.transaction() as session:
        assert retry_destination(session, "pacs") == 0

    assert row_of(database, given_up).state == "gave_up"

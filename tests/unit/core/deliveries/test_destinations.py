import pytest
from sqlmodel import select

from core.database import Database
from core.deliveries.destinations import (
    DestinationInvalid,
    DestinationNameTaken,
    add_destination,
    disable_destination,
    enable_destination,
    find_destination,
    list_destinations,
    remove_destination,
)
from core.deliveries.overview import list_overviews
from core.errors import RecordNotFound
from core.tables.deliveries import DeliveryRow
from core.tables.destinations import CircuitState, DestinationRow
from tests.builders.planned_delivery import destination, jobs, plan

SECRET = "not-for-anyone"  # noqa: S105 - made up


def test_secret_is_in_nothing_that_is_shown(database: Database) -> None:
    with database.transaction() as session:
        row = add_destination(session, "web", "stow_rs", "https://pacs", {}, SECRET)
        [overview] = list_overviews(session)

        assert overview.as_dict()["has_secret"] is True
        assert SECRET not in repr((row, overview, overview.as_dict()))


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "é", "x" * 65])
def test_name_that_cannot_stand_in_a_url_is_refused(database: Database, name: str) -> None:
    with pytest.raises(DestinationInvalid), database.transaction() as session:
        add_destination(session, name, "folder", "/share")


def test_name_is_free_again_once_its_destination_is_removed(database: Database) -> None:
    destination(database)
    plan(database, "1.2.1")
    with database.transaction() as session:
        with pytest.raises(DestinationNameTaken):
            add_destination(session, "pacs", "folder", "/other")
        assert remove_destination(session, "pacs") == 1
        assert list_destinations(session) == []
        add_destination(session, "pacs", "folder", "/other")

    with database.reading() as session:
        dropped = session.exec(select(DeliveryRow)).one()
        assert (dropped.state, dropped.error) == ("gave_up", "The destination was removed")
        assert find_destination(session, "pacs").address == "/other"


def test_what_waited_while_it_was_off_is_due_when_it_is_on(database: Database) -> None:
    key = destination(database)
    with database.transaction() as session:
        row = disable_destination(session, "pacs")
        row.circuit, row.failures, row.learned = CircuitState.OPEN, 7, {"a": True}
        enable_destination(session, "pacs")

    with database.reading() as session:
        row = session.get_one(DestinationRow, key)
        assert (row.enabled, row.circuit, row.failures, row.learned) == (True, "closed", 0, {})
    assert [job.subject for job in jobs(database)] == [str(key)]


def test_unknown_destination_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(RecordNotFound):
        find_destination(session, "nowhere")

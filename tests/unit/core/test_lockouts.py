from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from core.database import Database
from core.errors import RecordNotFound
from core.lockouts import (
    FORGOTTEN_AFTER,
    Pauses,
    forgive,
    list_failures,
    network_of,
    record_failure,
    remaining_pause,
)

_NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
_PAUSES = Pauses(free_failures=3, first_seconds=2.0, longest_seconds=60.0)


def _fail(database: Database, address: str = "10.0.0.7", now: datetime = _NOW) -> float:
    with database.transaction() as session:
        record_failure(session, address, _PAUSES, now)
    with database.reading() as session:
        return remaining_pause(session, address, now)


def test_pause_doubles_with_each_further_failure(database: Database) -> None:
    assert [_fail(database) for _ in range(9)] == [0, 0, 2, 4, 8, 16, 32, 60, 60]


def test_pause_after_very_many_failures_is_the_longest() -> None:
    assert _PAUSES.after(10_000) == 60.0


def test_pause_ends(database: Database) -> None:
    for _ in range(3):
        _fail(database)

    with database.reading() as session:
        assert remaining_pause(session, "10.0.0.7", _NOW + timedelta(seconds=1.5)) == 0.5
        assert remaining_pause(session, "10.0.0.7", _NOW + timedelta(seconds=2)) == 0.0


def test_address_pauses_alone(database: Database) -> None:
    for _ in range(4):
        _fail(database)

    with database.reading() as session:
        assert remaining_pause(session, "10.0.0.8", _NOW) == 0.0


def test_address_is_forgotten_after_a_quiet_hour(database: Database) -> None:
    for _ in range(4):
        _fail(database)

    assert _fail(database, now=_NOW + FORGOTTEN_AFTER) == 0.0
    with database.reading() as session:
        assert [(row.address, row.failures) for row in list_failures(session)] == [("10.0.0.7", 1)]


def test_address_that_is_forgiven_begins_anew(database: Database) -> None:
    for _ in range(4):
        _fail(database)

    with database.transaction() as session:
        forgive(session, "10.0.0.7")

    assert _fail(database) == 0.0
    with pytest.raises(RecordNotFound, match="keys failures"), database.transaction() as session:
        forgive(session, "10.9.9.9")


def test_failures_at_once_are_all_counted(database: Database) -> None:
    threads = [Thread(target=_fail, args=(database,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.reading() as session:
        assert [row.failures for row in list_failures(session)] == [6]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("x" * 100, "x" * 64),
    ],
)
def test_addresses_are_counted_as_whoever_has_them_gets_them(address: str, network: str) -> None:
    assert network_of(address) == network

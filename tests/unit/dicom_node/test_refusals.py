import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from core.database import Database, DatabaseAway
from core.tables.changes import ChangeRow
from core.tables.peers import RefusedCallerRow
from dicom_node import refusals
from dicom_node.callers import Caller, Refusal
from dicom_node.refusals import RefusalRecord

STRANGER = Caller("STRANGER", "192.0.2.1", "ARCUATE")
NOT_RECOGNISED = Refusal.CALLING_AE_TITLE_NOT_RECOGNISED
START = datetime(2026, 3, 4, 9, tzinfo=UTC)


def recorded(database: Database) -> Sequence[RefusedCallerRow]:
    with database.reading() as session:
        return session.exec(select(RefusedCallerRow)).all()


def test_a_refusal_is_written_when_it_returns(database: Database) -> None:
    RefusalRecord(database, lambda: START).add(STRANGER, NOT_RECOGNISED)

    [row] = recorded(database)
    assert (row.calling_ae_title, row.address, row.called_ae_title) == (
        "STRANGER",
        "192.0.2.1",
        "ARCUATE",
    )
    assert (row.reason, row.count, row.first_seen_at) == (NOT_RECOGNISED, 1, START)


def test_a_crowd_shares_transactions_and_everyone_is_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, written, crowd_is_there = RefusalRecord(database), [], threading.Event()

    def slowly(session: Session, taken: dict[tuple[str, str, str], object]) -> None:
        assert crowd_is_there.wait(60)
        written.append(len(taken))
        count_all(session, taken)

    count_all = refusals._count_all
    monkeypatch.setattr(refusals, "_count_all", slowly)
    first = threading.Thread(target=record.add, args=(STRANGER, NOT_RECOGNISED))
    first.start()
    while not record._writing.locked():
        threading.Event().wait(0.001)
    for number in range(300):
        record.add(Caller(f"STRANGER{number % 3}", "192.0.2.1", "ARCUATE"), NOT_RECOGNISED)
    crowd_is_there.set()
    first.join(60)

    assert written == [1, 3]
    assert {row.calling_ae_title: row.count for row in recorded(database)} == {
        "STRANGER": 1,
        "STRANGER0": 100,
        "STRANGER1": 100,
        "STRANGER2": 100,
    }
    with database.reading() as session:
        assert len(session.exec(select(ChangeRow)).all()) == 4


def test_refusals_wait_for_a_database_that_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(START + timedelta(seconds=number) for number in range(3))
    record = RefusalRecord(database, lambda: next(moments))

    def away(*_arguments: object) -> None:
        raise DatabaseAway

    with monkeypatch.context() as patch:
        patch.setattr(refusals, "_count_all", away)
        record.add(STRANGER, NOT_RECOGNISED)
        record.add(STRANGER, NOT_RECOGNISED)
    assert recorded(database) == []

    record.add(STRANGER, Refusal.TOO_MANY_ASSOCIATIONS)

    [row] = recorded(database)
    assert (row.count, row.reason) == (3, "too_many_associations")
    assert (row.first_seen_at, row.last_seen_at) == (START, START + timedelta(seconds=2))

import hashlib
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from core.audit.chain import NOTHING_BEFORE, chain_waiting, digest_of
from core.audit.recording import MOST_PATIENTS, append_audit
from core.audit.verification import verify
from core.database import Database
from core.tables.audit_entries import AuditEntryRow, WaitingAuditRow
from core.values.audit import Actor
from tests.builders.audit import MORNING, build_event, record_acts


def entries(database: Database) -> list[AuditEntryRow]:
    with database.reading() as session:
        return list(session.exec(select(AuditEntryRow).order_by(AuditEntryRow.number)).all())


def test_entries_are_chained_in_the_order_they_were_recorded(database: Database) -> None:
    record_acts(database, 3)

    assert chain_waiting(database, None) == 3

    rows = entries(database)
    assert [row.number for row in rows] == [1, 2, 3]
    assert [row.patients for row in rows] == [[1], [2], [3]]
    assert [row.previous for row in rows] == [NOTHING_BEFORE, rows[0].digest, rows[1].digest]
    assert [row.digest for row in rows] == [digest_of(row, None) for row in rows]
    with database.reading() as session:
        assert session.exec(select(WaitingAuditRow)).all() == []


def test_digest_is_the_same_on_every_database(database: Database) -> None:
    event = build_event(
        actor=Actor("Äugle", "viewer"), detail={"names": ["b", "a"], "ü": 1, "a": "x"}
    )
    with database.transaction() as session:
        append_audit(session, event, MORNING)

    chain_waiting(database, None)

    # As docs/audit.md describes it, for whoever checks it with a program of their own.
    written = (
        '{"action":"read","actor":"Äugle","actor_role":"viewer","address":"",'
        '"at":"2026-03-04T08:00:00.000000+00:00","detail":{"a":"x","names":["b","a"],"ü":1},'
        '"number":1,"object_id":"p1","object_kind":"prediction","outcome":"success",'
        f'"patients":[1],"previous":"{"0" * 64}","purged_to":null,"receipt":1}}'
    )
    [row] = entries(database)
    assert row.digest == hashlib.sha256(written.encode()).hexdigest()


def test_receipts_are_never_given_twice(database: Database) -> None:
    for _ in range(3):
        record_acts(database, 1)
        chain_waiting(database, None)

    receipts = [row.receipt for row in entries(database)]
    assert len(set(receipts)) == 3


def test_rollback_leaves_neither_an_entry_nor_a_gap(database: Database) -> None:
    record_acts(database, 1)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        append_audit(session, build_event())
        raise ZeroDivisionError
    record_acts(database, 1)

    chain_waiting(database, None)

    assert [row.number for row in entries(database)] == [1, 2]
    assert verify(database).fault is None


def test_many_who_chain_at_once_make_one_chain(database: Database) -> None:
    def work() -> None:
        for _ in range(5):
            record_acts(database, 2)
            chain_waiting(database, None)

    run_at_once(work, 4)
    chain_waiting(database, None)

    verdict = verify(database)
    assert (verdict.fault, verdict.entries, verdict.last) == (None, 40, 40)


def run_at_once(work: Callable[[], None], times: int) -> None:
    faults: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_strange_text_is_made_harmless_and_long_lists_are_cut(database: Database) -> None:
    event = build_event(
        actor=Actor("A\x00B\n", "", ""),
        patients=range(MOST_PATIENTS + 5),
        detail={"studies": [str(number) for number in range(300)]},
    )
    with database.transaction() as session:
        append_audit(session, event)
    chain_waiting(database, None)

    [row] = entries(database)
    assert row.actor == "A?B?"
    assert len(row.patients) == MOST_PATIENTS
    assert row.detail["patients_left_out"] == 5
    assert row.detail["studies"][-1] == "and 100 more"
    assert verify(database).fault is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'someone else'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE number = 2",
        "UPDATE audit_patients SET patient_key = 7",
        "DELETE FROM audit_patients",
        "UPDATE audit_head SET number = 1",
        "DELETE FROM audit_head",
        "UPDATE audit_waiting SET actor = 'someone else'",
        "DELETE FROM audit_waiting",
    ],
)
def test_database_refuses_to_change_or_remove_what_is_recorded(
    database: Database, statement: str
) -> None:
    record_acts(database, 2)
    chain_waiting(database, None)
    record_acts(database, 1)

    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
        session.execute(text(statement))

    chain_waiting(database, None)
    verdict = verify(database)
    assert (verdict.fault, verdict.entries) == (None, 3)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_refuses_to_replace_an_entry(database: Database) -> None:
    record_acts(database, 1)
    chain_waiting(database, None)

    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
        session.execute(
            text("INSERT OR REPLACE INTO audit_entries SELECT * FROM audit_entries WHERE number=1")
        )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["audit_entries", "audit_waiting", "audit_head"])
def test_postgresql_refuses_to_truncate(database: Database, table: str) -> None:
    record_acts(database, 1)
    chain_waiting(database, None)

    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
        session.execute(text(f"TRUNCATE {table}"))

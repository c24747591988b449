from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, select

from core.audit.chain import chain_waiting, digest_of
from core.audit.key import AuditKeyUnusable, read_audit_key
from core.audit.keyed_note import NOTE_NAME, KeyedFrom, note_keyed, read_note
from core.audit.purging import NotYetTold, Purged, purge
from core.audit.recording import append_audit
from core.audit.search import AuditFilter, newest_entries
from core.audit.verification import Anchor, verify
from core.database import Database
from core.tables.audit_entries import AuditCollectorRow, AuditEntryRow, AuditPatientRow
from core.values.audit import Actor, AuditAction
from tests.builders.audit import MORNING, build_event, record_acts

_KEY = b"0123456789abcdef0123456789abcdef"
_ADMIN = Actor("root")


@contextmanager
def without_guards(database: Database) -> Generator[Session]:
    """What someone can do who owns the database: take the triggers away."""
    with database.transaction() as session:
        if database.is_sqlite:
            for event in ("update", "delete", "insert"):
                session.execute(text(f"DROP TRIGGER audit_entries_{event}"))
        else:
            session.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
            session.execute(text("ALTER TABLE audit_head DISABLE TRIGGER USER"))
        yield session


@pytest.fixture
def trail(database: Database) -> Database:
    record_acts(database, 5)
    chain_waiting(database, None)
    return database


def test_untouched_chain_is_whole(trail: Database) -> None:
    verdict = verify(trail)

    assert (verdict.entries, verdict.first, verdict.last) == (5, 1, 5)
    assert (verdict.fault, verdict.keyed_from) == (None, None)


def test_empty_chain_is_whole(database: Database) -> None:
    verdict = verify(database)

    assert (verdict.entries, verdict.last, verdict.fault) == (0, 0, None)


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE audit_entries SET actor = 'nobody' WHERE number = 3", 3),
        ("UPDATE audit_entries SET outcome = 'refused' WHERE number = 1", 1),
        ("UPDATE audit_entries SET patients = '[9]' WHERE number = 4", 4),
        ("DELETE FROM audit_entries WHERE number = 2", 2),
        ("DELETE FROM audit_entries WHERE number = 1", 1),
        ("DELETE FROM audit_entries WHERE number = 5", 5),
        ("UPDATE audit_entries SET number = 9 WHERE number = 5", 5),
    ],
)
def test_first_broken_entry_is_named(trail: Database, change: str, number: int) -> None:
    with without_guards(trail) as session:
        session.execute(text(change))

    fault = verify(trail).fault

    assert fault is not None
    assert fault.number == number


def test_entry_hashed_anew_breaks_the_one_behind_it(trail: Database) -> None:
    with without_guards(trail) as session:
        row = session.get_one(AuditEntryRow, 2)
        row.actor = "nobody"
        row.digest = digest_of(row, None)

    fault = verify(trail).fault

    assert fault is not None
    assert (fault.number, fault.message) == (3, "it does not follow the entry before it")


def _make_anew(session: Session, key: bytes | None) -> None:
    """Change entry 2 and hash everything behind it again, as someone with the database could."""
    rows = session.exec(select(AuditEntryRow).order_by(AuditEntryRow.number)).all()
    rows[1].actor = "nobody"
    for before, row in pairwise(rows):
        row.previous = before.digest
        row.keyed = key is not None
        row.digest = digest_of(row, key)
    session.execute(
        text("DROP TRIGGER IF EXISTS audit_head_update ON audit_head")
        if session.connection().dialect.name == "postgresql"
        else text("DROP TRIGGER audit_head_update")
    )
    session.execute(text("UPDATE audit_head SET digest = :d"), {"d": rows[-1].digest})


def test_chain_made_anew_is_found_by_what_was_noted_elsewhere(trail: Database) -> None:
    before = verify(trail)
    with without_guards(trail) as session:
        _make_anew(session, None)

    assert verify(trail).fault is None
    fault = verify(trail, anchor=Anchor(before.last, before.digest)).fault
    assert fault is not None
    assert fault.number == 5


def test_chain_with_a_key_cannot_be_made_anew_without_it(database: Database) -> None:
    record_acts(database, 5)
    chain_waiting(database, _KEY)
    assert verify(database, _KEY).fault is None
    with without_guards(database) as session:
        _make_anew(session, None)

    fault = verify(database, _KEY).fault

    assert fault is not None
    assert fault.number == 2


def test_chain_made_anew_as_if_it_never_had_the_key_is_found_by_the_note(
    trail: Database, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    note_keyed(trail, home)
    assert read_note(home) is None
    record_acts(trail, 2)
    chain_waiting(trail, _KEY)
    note_keyed(trail, home)
    noted = read_note(home)
    assert noted is not None
    assert noted.number == 6
    assert verify(trail, _KEY, noted=noted).fault is None
    with without_guards(trail) as session:
        _make_anew(session, None)
    # What the node records next has the key, as if it began there.
    record_acts(trail, 1)
    chain_waiting(trail, _KEY)

    assert verify(trail, _KEY).fault is None
    fault = verify(trail, _KEY, noted=noted).fault
    assert fault is not None
    assert (fault.number, "since 6" in fault.message) == (6, True)


def test_note_outlives_a_purge_and_a_shorter_chain_shows(
    database: Database, tmp_path: Path
) -> None:
    record_acts(database, 5)
    chain_waiting(database, _KEY)
    note_keyed(database, tmp_path)
    noted = read_note(tmp_path)
    purge(database, MORNING + timedelta(minutes=2), _ADMIN, _KEY)

    assert verify(database, _KEY, noted=noted).fault is None
    assert verify(database, _KEY, noted=KeyedFrom(9, "0" * 64)).fault is not None
    (tmp_path / NOTE_NAME).write_text("nonsense")
    with pytest.raises(AuditKeyUnusable, match="audit-keyed-from"):
        read_note(tmp_path)


def test_what_the_collector_was_not_sent_stays(trail: Database) -> None:
    before = MORNING + timedelta(minutes=3)
    with trail.transaction() as session:
        session.exec(select(AuditCollectorRow)).one().position = 2
    with pytest.raises(NotYetTold, match="up to 2, and those up to 3"):
        purge(trail, before, _ADMIN, None, must_be_told=True)
    assert verify(trail).first == 1

    with trail.transaction() as session:
        session.exec(select(AuditCollectorRow)).one().position = 3

    assert purge(trail, before, _ADMIN, None, must_be_told=True) == Purged(1, 3, 6)


def test_key_may_begin_later_and_must_be_the_same(trail: Database) -> None:
    record_acts(trail, 2)
    chain_waiting(trail, _KEY)

    assert verify(trail, _KEY).fault is None
    assert verify(trail, _KEY).keyed_from == 6
    for wrong in (None, b"another key that is long enough"):
        fault = verify(trail, wrong).fault
        assert fault is not None
        assert fault.number == 6


def test_missing_end_is_found_by_what_was_noted(trail: Database) -> None:
    fault = verify(trail, anchor=Anchor(9, "0" * 64)).fault

    assert fault is not None
    assert fault.number == 6


def test_purge_leaves_a_marker_and_a_whole_chain(trail: Database) -> None:
    purged = purge(trail, MORNING + timedelta(minutes=2), _ADMIN, None)

    assert purged == Purged(first=1, last=2, marker=6)
    verdict = verify(trail)
    assert (verdict.fault, verdict.first, verdict.last, verdict.entries) == (None, 3, 6, 4)
    with trail.reading() as session:
        marker = session.get_one(AuditEntryRow, 6)
        index = session.exec(select(AuditPatientRow.number)).all()
    assert (marker.action, marker.purged_to, marker.actor) == ("purge", 2, "root")
    assert sorted(index) == [3, 4, 5]


def test_purging_again_goes_on_behind_the_first(trail: Database) -> None:
    purge(trail, MORNING + timedelta(minutes=1), _ADMIN, None)
    assert purge(trail, MORNING + timedelta(minutes=1), _ADMIN, None) is None

    assert purge(trail, MORNING + timedelta(minutes=4), _ADMIN, None) == Purged(2, 4, 7)

    verdict = verify(trail)
    assert (verdict.fault, verdict.first, verdict.last) == (None, 5, 7)


def test_more_than_the_marker_says_cannot_go_unseen(trail: Database) -> None:
    purge(trail, MORNING + timedelta(minutes=2), _ADMIN, None)
    with without_guards(trail) as session:
        session.execute(text("DELETE FROM audit_entries WHERE number = 3"))

    fault = verify(trail).fault

    assert fault is not None
    assert fault.number == 3


def test_entries_are_found_by_what_they_say(trail: Database) -> None:
    with trail.transaction() as session:
        login = build_event(action=AuditAction.LOGIN, patients=(), actor=Actor("ward"))
        append_audit(session, login, MORNING + timedelta(hours=1))
    chain_waiting(trail, None)

    def found(**wanted: object) -> list[int]:
        with trail.reading() as session:
            rows = newest_entries(session, AuditFilter(**wanted), 10)  # type: ignore[arg-type]
        return [row.number for row in rows]

    assert found() == [6, 5, 4, 3, 2, 1]
    assert found(patient_key=3) == [3]
    assert found(actor="ward") == [6]
    assert found(action=AuditAction.READ, until=MORNING + timedelta(minutes=2)) == [2, 1]
    assert found(since=MORNING + timedelta(minutes=4)) == [6, 5]


def test_key_file_must_hold_a_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(_KEY + b"\n")
    assert read_audit_key(str(path)) == _KEY
    assert read_audit_key("") is None

    path.write_text("short")
    with pytest.raises(AuditKeyUnusable, match="openssl rand"):
        read_audit_key(str(path))
    with pytest.raises(AuditKeyUnusable, match="cannot be read"):
        read_audit_key(str(tmp_path / "nothing"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_entry_chained_while_the_end_is_looked_at_breaks_nothing(
    database: Database, database_url: str
) -> None:
    record_acts(database, 2)
    chain_waiting(database, None)
    record_acts(database, 1)
    other, chained = Database(database_url), []

    def chain(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "audit_head" in statement and not chained:
            chained.append(chain_waiting(other, None))

    event.listen(database.engine, "before_cursor_execute", chain)
    verdict = verify(database)
    event.remove(database.engine, "before_cursor_execute", chain)
    other.close()

    assert chained == [1]
    assert (verdict.fault, verdict.last) == (None, 2)
    assert verify(database).last == 3

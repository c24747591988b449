from contextlib import ExitStack

import psycopg
import pytest
from sqlalchemy import text

from core.changes import append_change
from core.database import Database, DatabaseAway, StatementTooLong
from core.postgres_engine import PostgresLimits
from core.tables.changes import ChangeKind


def test_connections_that_are_all_in_use_are_a_database_that_does_not_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.05)
    with pytest.raises(DatabaseAway), ExitStack() as held:
        for _ in range(100):
            held.enter_context(database.reading()).execute(text("SELECT 1"))

    with database.reading() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1


def test_a_lock_that_is_never_let_go_ends_as_a_database_that_does_not_answer(
    database: Database,
) -> None:
    if database.is_sqlite:
        pytest.skip("the busy time-out of SQLite is the binding's own")
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as stuck:
        stuck.execute("UPDATE change_counter SET last = last")
        with pytest.raises(DatabaseAway), database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            append_change(session, ChangeKind.JOB_FAILED, "1")
        stuck.rollback()

    with database.transaction() as session:
        assert append_change(session, ChangeKind.JOB_FAILED, "1") == 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [("lock_timeout", "15s"), ("idle_in_transaction_session_timeout", "1min")],
)
def test_no_transaction_waits_or_holds_up_others_for_ever(
    database: Database, setting: str, value: str
) -> None:
    if database.is_sqlite:
        pytest.skip("a setting of PostgreSQL")
    for _ in range(2):
        # The second time on a connection that was rolled back and given out again.
        with database.reading() as session:
            assert session.execute(text(f"SHOW {setting}")).scalar_one() == value


def test_a_statement_that_takes_too_long_is_ended_and_named(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("a setting of PostgreSQL")
    url = database.url.render_as_string(hide_password=False)
    limited = Database(url, PostgresLimits(statement_seconds=0.05))
    with pytest.raises(StatementTooLong), limited.reading() as session:
        session.execute(text("SELECT pg_sleep(60)"))

    with limited.reading() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    limited.close()


def test_a_server_that_only_reads_is_a_database_that_does_not_answer(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("of PostgreSQL, while another server takes over")
    with pytest.raises(DatabaseAway), database.transaction() as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        append_change(session, ChangeKind.JOB_FAILED, "1")


def test_a_process_takes_no_more_connections_than_it_may(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("a setting of PostgreSQL")
    url = database.url.render_as_string(hide_password=False)
    limited = Database(url, PostgresLimits(pool_size=1, pool_overflow=1))
    limited.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(limited.reading()).execute(text("SELECT 1"))
        with pytest.raises(DatabaseAway), limited.reading() as session:
            session.execute(text("SELECT 1"))
    limited.close()

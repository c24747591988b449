import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from core import ledger
from core.database import Database
from core.lookout import Lookout
from core.tables.jobs import JobKind

#: Longer than any of this takes: who is not called by then is not called.
_PATIENCE_SECONDS = 60.0


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    asked = threading.Event()
    yield asked
    asked.set()


@pytest.fixture
def lookout(database: Database, stopping: threading.Event) -> Lookout:
    return Lookout(database, stopping)


def enqueue(database: Database, kind: JobKind, delay_seconds: float = 0.0) -> None:
    with database.transaction() as session:
        ledger.enqueue(session, kind, "1", delay_seconds=delay_seconds)


def is_called(wakeup: object) -> bool:
    return wakeup.event.is_set()  # type: ignore[attr-defined]


def test_only_those_with_something_to_do_are_called(database: Database, lookout: Lookout) -> None:
    report, echo, another = (
        lookout.wakeup(kind) for kind in (JobKind.REPORT, JobKind.ECHO, JobKind.REPORT)
    )
    enqueue(database, JobKind.REPORT)

    lookout.look()

    assert [is_called(one) for one in (report, echo, another)] == [True, False, True]


def test_nobody_is_called_for_what_is_not_due(database: Database, lookout: Lookout) -> None:
    report = lookout.wakeup(JobKind.REPORT)
    enqueue(database, JobKind.REPORT, delay_seconds=3600)

    lookout.look()

    assert not is_called(report)


def test_a_job_left_by_a_dead_worker_calls_another(database: Database, lookout: Lookout) -> None:
    enqueue(database, JobKind.REPORT)
    with database.transaction() as session:
        assert ledger.claim(session, JobKind.REPORT, "dead", 1, lease_seconds=-1.0)
    report = lookout.wakeup(JobKind.REPORT)

    lookout.look()

    assert is_called(report)


def test_many_workers_cost_one_look(database: Database, lookout: Lookout) -> None:
    for kind in JobKind:
        lookout.wakeup(kind)
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *given: statements.append(given[2])
    )

    lookout.look()

    # One for the database's clock, one for all kinds.
    assert sum(statement.startswith("SELECT") for statement in statements) == 2


def test_a_new_job_calls_a_worker_that_waits(
    database: Database, lookout: Lookout, stopping: threading.Event
) -> None:
    report = lookout.wakeup(JobKind.REPORT)
    running = threading.Thread(target=lookout.run)
    running.start()
    enqueue(database, JobKind.REPORT)

    called = report.event.wait(_PATIENCE_SECONDS)  # type: ignore[attr-defined]

    stopping.set()
    running.join()
    assert called


def test_everybody_is_called_at_the_end(lookout: Lookout, stopping: threading.Event) -> None:
    report = lookout.wakeup(JobKind.REPORT)
    stopping.set()

    lookout.run()

    assert is_called(report)


def test_who_was_called_waits_for_the_next_call(database: Database, lookout: Lookout) -> None:
    report = lookout.wakeup(JobKind.REPORT)
    enqueue(database, JobKind.REPORT)
    lookout.look()

    report.wait(_PATIENCE_SECONDS)

    assert not is_called(report)

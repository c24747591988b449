"""Asking a peer whether it answers, as a job: a real peer, a real association, the real record."""

import socket
import threading
from collections.abc import Iterator

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from sqlmodel import select

from core.clock import utc_now
from core.database import Database
from core.peer_echoes import ask_echo, echoes_of
from core.settings import Settings
from core.tables.jobs import JobKind, JobRow, JobStatus
from core.tables.peers import PeerEchoRow
from core.worker import Worker
from dicom_node.delivery.echoing import EchoStep
from dicom_node.peers import add_peer, remove_peer
from tests.fixtures.dicom_server import running_node

_PACS = "PACS"


@pytest.fixture
def worker(settings: Settings, database: Database) -> Worker:
    return Worker(database, settings, EchoStep(database, settings.ae_title), threading.Event())


@pytest.fixture
def pacs_port() -> Iterator[int]:
    """A peer that we did not write, which lets only ARCUATE in."""
    entity = AE(_PACS)
    entity.add_supported_context(Verification)
    entity.require_calling_aet = ["ARCUATE"]
    server = entity.start_server(("127.0.0.1", 0), block=False)
    yield server.socket.getsockname()[1]
    server.shutdown()


def _ask(database: Database, port: int | None, ae_title: str = _PACS) -> None:
    with database.transaction() as session:
        add_peer(session, ae_title, "127.0.0.1", port)
        ask_echo(session, ae_title, "anna", utc_now())


def _echo(database: Database, ae_title: str = _PACS) -> PeerEchoRow:
    with database.reading() as session:
        return echoes_of(session, [ae_title])[ae_title]


def _jobs(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(row.subject, row.status) for row in session.exec(select(JobRow)).all()]


def test_peer_that_answers_is_told_with_its_time(
    database: Database, worker: Worker, pacs_port: int
) -> None:
    _ask(database, pacs_port)
    asked = _echo(database)
    assert (asked.finished_at, asked.asked_by) == (None, "anna")

    assert worker.run_once() == 1

    told = _echo(database)
    assert told.error is None
    assert told.seconds is not None
    assert 0 < told.seconds < 10
    assert told.finished_at is not None
    assert told.finished_at >= told.asked_at
    assert _jobs(database) == [(_PACS, JobStatus.DONE)]


def test_our_own_receiver_answers_a_known_caller(
    settings: Settings, database: Database, worker: Worker
) -> None:
    with running_node(settings, database) as node:
        with database.transaction() as session:
            add_peer(session, settings.ae_title, "127.0.0.1", node.port)
            ask_echo(session, settings.ae_title, "anna", utc_now())
        worker.run_once()

    assert _echo(database, settings.ae_title).error is None


def test_peer_that_is_not_there_is_an_answer_and_no_failed_job(
    database: Database, worker: Worker
) -> None:
    with socket.socket() as bound:
        # Bound and not listening: nobody answers there, and nobody else takes it.
        bound.bind(("127.0.0.1", 0))
        _ask(database, bound.getsockname()[1])
        worker.run_once()

    told = _echo(database)
    assert (told.seconds, _jobs(database)) == (None, [(_PACS, JobStatus.DONE)])
    assert told.error is not None
    assert "does not answer; check host, port and whether it runs" in told.error


def test_peer_that_rejects_us_says_so(
    settings: Settings, database: Database, pacs_port: int
) -> None:
    step = EchoStep(database, "STRANGER")
    _ask(database, pacs_port)

    Worker(database, settings, step, threading.Event()).run_once()

    assert "rejected the association" in (_echo(database).error or "")


def test_peer_without_a_port_cannot_be_called(database: Database, worker: Worker) -> None:
    _ask(database, None)

    worker.run_once()

    assert "has no address to call" in (_echo(database).error or "")


def test_asking_twice_asks_once_and_asking_later_asks_again(
    database: Database, worker: Worker, pacs_port: int
) -> None:
    _ask(database, pacs_port)
    with database.transaction() as session:
        ask_echo(session, _PACS, "ben", utc_now())
    assert (_jobs(database), _echo(database).asked_by) == ([(_PACS, JobStatus.QUEUED)], "anna")
    worker.run_once()

    with database.transaction() as session:
        ask_echo(session, _PACS, "ben", utc_now())

    told = _echo(database)
    assert (told.asked_by, told.finished_at, told.seconds) == ("ben", None, None)
    assert [status for _, status in _jobs(database)] == [JobStatus.DONE, JobStatus.QUEUED]


def test_peer_removed_meanwhile_leaves_nothing(
    database: Database, worker: Worker, pacs_port: int
) -> None:
    _ask(database, pacs_port)
    with database.transaction() as session:
        remove_peer(session, _PACS)

    worker.run_once()

    with database.reading() as session:
        assert session.exec(select(PeerEchoRow)).all() == []
    assert _jobs(database) == [(_PACS, JobStatus.DONE)]


def test_broken_answer_is_told_after_the_last_attempt(
    settings: Settings, database: Database
) -> None:
    def abort(event: evt.Event) -> int:
        event.assoc.abort()
        return 0x0000

    entity = AE(_PACS)
    entity.add_supported_context(Verification)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, abort)]
    )
    _ask(database, server.socket.getsockname()[1])
    once = settings.model_copy(update={"maximum_attempts": 1})

    Worker(database, once, EchoStep(database, "ARCUATE"), threading.Event()).run_once()

    server.shutdown()
    assert _echo(database).error is not None
    assert _echo(database).finished_at is not None
    with database.reading() as session:
        [job] = session.exec(select(JobRow).where(JobRow.kind == JobKind.ECHO)).all()
    assert job.status in {JobStatus.DONE, JobStatus.FAILED}

"""Real processes that are killed while they send the feed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from arcuate.bench.ports import free_port
from arcuate.node import prepare_node
from arcuate.waiting import wait_until
from core.changes import append_changes
from core.clock import utc_now
from core.database import Database
from core.settings import Settings
from core.tables.changes import ChangeKind
from core.webhooks import Subscription, add_webhook, find_webhook
from tests.fixtures.event_client import listening
from tests.fixtures.webhook_receiver import webhook_receiver

_PATIENCE = 60.0
# What dies with a process does not depend on the database; each is tried on one.
_ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
_ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@contextmanager
def process_of(role: str, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Run one role as a process of its own; it is killed at the end, if it still runs."""
    values = settings.model_dump(mode="json")
    environment = {
        **os.environ,
        **{f"ARCUATE_{name.upper()}": str(value) for name, value in values.items()},
    }
    process = subprocess.Popen([sys.executable, "-m", "arcuate", role], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def happen(database: Database, count: int) -> None:
    with database.transaction() as session:
        subjects = [f"1.2.{number}" for number in range(count)]
        append_changes(session.connection(), ChangeKind.JOB_FAILED, subjects)


@_ON_POSTGRESQL
def test_webhook_gets_everything_in_order_from_processes_that_are_killed(
    settings: Settings, database: Database
) -> None:
    brief = settings.model_copy(update={"lease_seconds": 1.0})
    prepare_node(brief).database.close()
    with webhook_receiver() as receiver:
        with database.transaction() as session:
            wanted = Subscription("emr", receiver.url)
            receiver.secret = add_webhook(session, wanted, False, utc_now()).secret
        happen(database, 60)

        def answer(_: str) -> int:
            time.sleep(0.03)
            return 200

        receiver.answer = answer
        with receiver.up():
            for taken in (10, 30):
                with process_of("deliver", brief) as process:
                    assert wait_until(lambda n=taken: len(receiver.taken) >= n, _PATIENCE)
                    os.kill(process.pid, signal.SIGKILL)
            with process_of("deliver", brief):
                assert wait_until(lambda: _position(database) == 60, _PATIENCE)

    numbers = [int(one.message_id) for one in receiver.taken]
    first = list(dict.fromkeys(numbers))
    assert first == list(range(1, 61))
    # Again come only those of half a second before each of two deaths, as many as fit in it.
    assert len(numbers) - len(first) <= 2 * 20
    assert all(one.is_signed for one in receiver.received)


@_ON_SQLITE
def test_listener_goes_on_without_gap_or_duplicate_after_the_server_was_killed(
    settings: Settings, database: Database
) -> None:
    here = settings.model_copy(update={"http_port": free_port()})
    prepare_node(here).database.close()
    url = f"http://127.0.0.1:{here.http_port}"
    stopping = threading.Event()

    def go_on() -> None:
        while not stopping.wait(0.005):
            happen(database, 1)

    writer = threading.Thread(target=go_on)
    writer.start()
    read: list[int] = []
    position = "0"
    try:
        for _ in range(2):
            with process_of("serve", here) as process:
                assert wait_until(lambda: _answers(here.http_port), _PATIENCE)
                with listening(url, position) as client:
                    read += [event["number"] for event in client.take(len(read) + 50)]
                    position = client.last_event_id
                    os.kill(process.pid, signal.SIGKILL)
    finally:
        stopping.set()
        writer.join()

    assert read == list(range(1, 151))


def _position(database: Database) -> int:
    with database.reading() as session:
        return find_webhook(session, "emr").position


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

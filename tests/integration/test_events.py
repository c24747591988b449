import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlmodel import col, update

from api.app import create_app
from api.cookies import SESSION
from api.events.streams import EventStreams
from api.sessions import Holder, SessionLife, open_session
from core.changes import append_change, append_changes
from core.clock import utc_now
from core.database import Database
from core.keys import Role, create_key, revoke_key
from core.settings import Settings
from core.tables.changes import ChangeCounterRow, ChangeKind
from core.tables.logins import BrowserSessionRow
from dicom_node.storage.bytes import Storage
from tests.fixtures.event_client import listening
from tests.fixtures.http_server import http_server, serving

_KIND = ChangeKind.INSTANCE_RECEIVED


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return Storage(settings.storage)


@pytest.fixture
def url(settings: Settings, database: Database, storage: Storage) -> Iterator[str]:
    with http_server(settings, database, storage) as address:
        yield address


def happen(database: Database, *subjects: str) -> None:
    with database.transaction() as session:
        append_changes(session.connection(), _KIND, subjects)


def numbers(events: list[dict[str, object]]) -> list[object]:
    return [event["number"] for event in events]


def test_stream_is_the_feed(url: str, database: Database) -> None:
    happen(database, "1.2.1", "1.2.2")

    with listening(url, after=0) as client:
        read = client.take(2)
        happen(database, "1.2.3")
        read += client.take(1)

    assert read == httpx.get(f"{url}/v1/changes", timeout=60).json()["items"]
    assert client.answer.headers["content-type"].startswith("text/event-stream")
    assert client.answer.headers["cache-control"] == "no-store"


def test_without_a_number_it_begins_now_and_a_client_that_comes_back_misses_nothing(
    url: str, database: Database
) -> None:
    happen(database, "1.2.1")
    with listening(url) as client:
        happen(database, "1.2.2")
        assert numbers(client.take(1)) == [2]
    happen(database, "1.2.3")

    with listening(url, client.last_event_id) as again:
        assert numbers(again.take(1)) == [3]


def test_connection_lost_before_the_first_event_still_knows_where_it_was(
    url: str, database: Database
) -> None:
    happen(database, "1.2.1", "1.2.2")
    with listening(url) as client:
        for line in client.lines:
            if line.startswith("id:"):
                client.last_event_id = line.removeprefix("id: ")
            if not line:
                break
    happen(database, "1.2.3")

    with listening(url, client.last_event_id) as again:
        assert numbers(again.take(1)) == [3]


def test_last_event_id_counts_before_the_parameter(url: str, database: Database) -> None:
    happen(database, "1.2.1", "1.2.2")

    with listening(url, "1", after=0) as client:
        assert numbers(client.take(1)) == [2]


def test_server_that_is_started_again_goes_on_without_gap_or_duplicate(
    settings: Settings, database: Database, storage: Storage
) -> None:
    writing, stopping = threading.Event(), threading.Event()

    def write() -> None:
        count = 0
        while not stopping.is_set() and count < 2000:
            happen(database, f"1.2.{count}")
            count += 1
            writing.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(20)
    read: list[object] = []
    position = "0"
    try:
        for _ in range(3):
            with (
                http_server(settings, database, storage) as url,
                listening(url, position) as client,
            ):
                read += numbers(client.take(30))
                position = client.last_event_id
    finally:
        stopping.set()
        writer.join()

    assert read == list(range(1, 91))


def test_every_listener_gets_everything_from_one_reader(
    settings: Settings, database: Database, storage: Storage
) -> None:
    app = create_app(settings, database, storage)
    count = 40
    ready = threading.Barrier(count + 1)

    def listen(url: str) -> list[object]:
        with listening(url) as client:
            ready.wait(30)
            return numbers(client.take(20))

    with serving(app, settings) as url, ThreadPoolExecutor(count) as pool:
        listeners = [pool.submit(listen, url) for _ in range(count)]
        ready.wait(30)
        asked: list[int] = []
        tail = app.state.event_streams.tail
        read = tail._read_after
        tail._read_after = lambda number: asked.append(number) or read(number)
        for number in range(20):
            happen(database, f"1.2.{number}")
        results = [listener.result(30) for listener in listeners]

    assert results == [list(range(1, 21))] * count
    # As often as one listener would have it read, not once for each.
    assert len([n for n in asked if n < 20]) <= 21


def test_listener_far_behind_reads_on_from_the_record(url: str, database: Database) -> None:
    happen(database, *[f"1.2.{number}" for number in range(5000)])

    with listening(url, after=0) as client:
        read = client.take(4999)
        happen(database, "1.2.5000")
        read += client.take(2)

    assert numbers(read) == list(range(1, 5002))


def test_streams_end_when_the_server_stops(
    settings: Settings, database: Database, storage: Storage
) -> None:
    happen(database, "1.2.1")
    with http_server(settings, database, storage) as url:
        stream = listening(url, after=0)
        client = stream.__enter__()
        assert numbers(client.take(1)) == [1]
    # The server has ended, well within the grace it gives to answers under way, and in order.
    assert list(client.events()) == []
    stream.__exit__(None, None, None)


def test_one_stream_too_many_is_put_off_and_a_place_given_back_is_free(
    settings: Settings, database: Database, storage: Storage
) -> None:
    few = settings.model_copy(update={"event_streams": 1})
    with http_server(few, database, storage) as url:
        with listening(url):
            refused = httpx.get(f"{url}/v1/events", timeout=60)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["type"] == "urn:arcuate:problem:too-many-streams"
        assert eventually(lambda: httpx.stream("GET", f"{url}/v1/events", timeout=60))


def eventually(opening: Callable[[], object], tries: int = 200) -> bool:
    """Whether a stream can be opened once the server noticed that another was left."""
    for _ in range(tries):
        with opening() as answer:  # type: ignore[attr-defined]
            if answer.status_code == 200:
                return True
    return False


def test_malformed_position_is_named(url: str) -> None:
    def parameters(**request: dict[str, str]) -> list[str]:
        answer = httpx.get(f"{url}/v1/events", **request)
        assert answer.status_code == 422
        return [error["parameter"].lower() for error in answer.json()["errors"]]

    for number in ("x", "-1", str(2**63)):
        assert parameters(headers={"Last-Event-ID": number}) == ["last-event-id"]
        assert parameters(params={"after": number}) == ["after"]


def test_position_of_another_record_is_refused_instead_of_waiting_for_ever(
    url: str, database: Database
) -> None:
    happen(database, "1.2.1")

    answer = httpx.get(f"{url}/v1/events", headers={"Last-Event-ID": "7"}, timeout=60)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:arcuate:problem:position-unknown"
    assert "newest change, 1" in answer.json()["detail"]


def test_heartbeats_keep_a_quiet_stream_and_end_it_once_the_key_is_revoked(
    settings: Settings, database: Database, storage: Storage
) -> None:
    locked = settings.model_copy(update={"auth": "keys"})
    with database.transaction() as session:
        key = create_key(session, "clinic")
    app = create_app(locked, database, storage)
    app.state.event_streams = EventStreams(database, 5, heartbeat_seconds=0.05)
    with (
        serving(app, locked) as url,
        httpx.stream("GET", f"{url}/v1/events", headers={"X-API-Key": key}, timeout=20) as answer,
    ):
        lines = answer.iter_lines()
        while "heartbeat" not in next(lines):
            pass
        with database.transaction() as session:
            revoke_key(session, "clinic")
        assert [line for line in lines if line.startswith("data:")] == []


def test_a_stream_ends_once_its_caller_may_read_no_longer(
    settings: Settings, database: Database, storage: Storage
) -> None:
    locked = settings.model_copy(update={"auth": "keys"})
    holder = Holder(frozenset({Role.VIEWER}), name="dr-ito", subject="ito")
    with database.transaction() as session:
        secret = open_session(session, holder, SessionLife(), utc_now())
    app = create_app(locked, database, storage)
    app.state.event_streams = EventStreams(database, 5, heartbeat_seconds=0.05)
    cookies = {"cookie": f"{SESSION}={secret}"}
    with (
        serving(app, locked) as url,
        httpx.stream("GET", f"{url}/v1/events", headers=cookies, timeout=20) as answer,
    ):
        lines = answer.iter_lines()
        while "heartbeat" not in next(lines):
            pass
        with database.transaction() as session:
            session.execute(update(BrowserSessionRow).values(roles=[Role.RESEARCHER]))
        # A heartbeat may be on its way; of those of a stream that goes on there is no end.
        assert sum("heartbeat" in line for line in itertools.islice(lines, 100)) < 20
    with serving(app, locked) as url:
        assert httpx.get(f"{url}/v1/events", headers=cookies, timeout=20).status_code == 403


def test_rolled_back_transaction_is_neither_seen_nor_leaves_a_gap(
    url: str, database: Database
) -> None:
    with listening(url) as client:
        with pytest.raises(ZeroDivisionError), database.transaction() as session:
            append_change(session, _KIND, "1.2.1")
            raise ZeroDivisionError
        happen(database, "1.2.2")
        (event,) = client.take(1)

    assert (event["number"], event["subject"]) == (1, "1.2.2")


def test_counter_that_starts_high_is_no_obstacle(url: str, database: Database) -> None:
    with database.transaction() as session:
        session.execute(update(ChangeCounterRow).values({col(ChangeCounterRow.last): 10**6}))

    with listening(url) as client:
        happen(database, "1.2.1")
        assert numbers(client.take(1)) == [10**6 + 1]

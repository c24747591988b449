import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from arcuate.cli import app
from arcuate.waiting import wait_until
from core.changes import append_changes
from core.clock import utc_now
from core.database import Database, database_seconds
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.changes import ChangeKind
from core.tables.webhooks import WebhookRow
from core.webhooks import (
    Subscription,
    add_webhook,
    ask_for_test,
    enable_webhook,
    find_webhook,
    remove_webhook,
    webhook_states,
)
from dicom_node.storage.bytes import Storage
from dicom_node.webhooks import telling
from dicom_node.webhooks.telling import WebhookTeller
from tests.fixtures.http_server import http_server
from tests.fixtures.webhook_receiver import WebhookReceiver, webhook_receiver

_KIND = ChangeKind.PREDICTION_RECORDED
_PATIENCE = 60.0


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as made:
        yield made


@pytest.fixture
def teller(database: Database, settings: Settings) -> WebhookTeller:
    return WebhookTeller(database, settings, threading.Event())


def happen(database: Database, count: int, kind: ChangeKind = _KIND) -> None:
    with database.transaction() as session:
        append_changes(session.connection(), kind, [f"p{n}" for n in range(count)])


def subscribe(
    database: Database,
    receiver: WebhookReceiver,
    name: str = "emr",
    *kinds: str,
    after: int | None = None,
) -> None:
    with database.transaction() as session:
        wanted = Subscription(name, receiver.url, kinds, after)
        receiver.secret = add_webhook(session, wanted, False, utc_now()).secret


def state(database: Database, name: str = "emr") -> WebhookRow:
    with database.reading() as session:
        return find_webhook(session, name)


def hurry(database: Database) -> None:
    """Let no webhook wait for the end of its pause."""
    with database.transaction() as session:
        find_webhook(session, "emr").available_at = 0.0


def told(receiver: WebhookReceiver) -> list[int]:
    return [int(one.message_id) for one in receiver.taken]


@pytest.fixture
def running(database: Database, settings: Settings) -> Iterator[Callable[[], WebhookTeller]]:
    """Start tellers that run as `deliver` runs them, until the test ends."""
    stopping, threads = threading.Event(), []

    def start() -> WebhookTeller:
        teller = WebhookTeller(database, settings, stopping)
        thread = threading.Thread(target=teller.run)
        thread.start()
        threads.append(thread)
        return teller

    yield start
    stopping.set()
    for thread in threads:
        thread.join()


def test_each_change_is_told_once_in_order_and_signed(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    happen(database, 3)
    subscribe(database, receiver)
    happen(database, 250)

    with receiver.up():
        while teller.run_once():
            pass

    # With what happens after the subscription.
    assert told(receiver) == list(range(4, 254))
    assert [one.body["number"] for one in receiver.taken] == told(receiver)
    assert all(one.is_signed for one in receiver.received)
    row = state(database)
    assert (row.position, row.delivered, row.failures) == (253, 250, 0)


def test_only_the_kinds_that_were_asked_for_are_told(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver, "emr", "job_failed")
    happen(database, 150)
    happen(database, 1, ChangeKind.JOB_FAILED)
    happen(database, 10)

    with receiver.up():
        while teller.run_once():
            pass

    assert told(receiver) == [151]
    assert state(database).position == 161


def test_receiver_that_is_down_then_fails_then_works_gets_everything(
    database: Database, receiver: WebhookReceiver, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(telling, "LONGEST_PAUSE_SECONDS", 0.2)
    subscribe(database, receiver)
    happen(database, 30)
    running()
    assert wait_until(lambda: state(database).failures >= 2, _PATIENCE)
    assert state(database).last_error == "no answer: ConnectError"
    failing_since = state(database).failing_since
    broken = 4
    seen: list[str] = []

    def answer(message_id: str) -> int:
        seen.append(message_id)
        return 500 if len(seen) <= broken else 200

    receiver.answer = answer
    with receiver.up():
        assert wait_until(lambda: len(receiver.taken) == 30, _PATIENCE), state(database)
        assert wait_until(lambda: state(database).delivered == 30, _PATIENCE)

    assert failing_since is not None
    # The first message was tried until it was taken: none overtook it.
    assert [one.message_id for one in receiver.received[:5]] == ["1"] * 5
    assert told(receiver) == list(range(1, 31))
    row = state(database)
    assert (row.failures, row.failing_since, row.last_error) == (0, None, "")


def test_failure_in_the_middle_repeats_nothing_that_was_taken(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    happen(database, 10)
    failing = {"5"}
    receiver.answer = lambda message_id: 503 if message_id in failing else 200

    with receiver.up():
        teller.run_once()
        row = state(database)
        failing.clear()
        hurry(database)
        while teller.run_once():
            pass

    assert (row.position, row.delivered, row.failures) == (4, 4, 1)
    assert row.last_error == "answered 503"
    assert told(receiver) == list(range(1, 11))


def test_pauses_grow_to_an_end_and_differ(database: Database, settings: Settings) -> None:
    teller = WebhookTeller(database, settings, threading.Event())
    with database.transaction() as session:
        row = add_webhook(session, Subscription("emr", "http://127.0.0.1:1/"), False, utc_now())
    happen(database, 1)

    pauses = []
    for failures in range(12):
        with database.transaction() as session:
            found = find_webhook(session, "emr")
            found.failures, found.available_at = failures, 0.0
        with database.reading() as session:
            before = database_seconds(session)
        assert teller.run_once()
        pauses.append(state(database).available_at - before)

    for failures, pause in enumerate(pauses):
        whole = min(2.0 * 2**failures, 300.0)
        assert 0.5 * whole <= pause <= whole + 3
    assert len({round(pause, 3) for pause in pauses[9:]}) == 3
    assert row.position == 0


def test_receiver_may_ask_for_a_longer_pause(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    happen(database, 1)
    receiver.answer, receiver.headers = (lambda _: 429), {"Retry-After": "100"}

    with receiver.up():
        teller.run_once()

    with database.reading() as session:
        assert state(database).available_at - database_seconds(session) > 90


def test_redirect_is_not_followed(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    happen(database, 1)
    receiver.answer, receiver.headers = (lambda _: 307), {"Location": "http://127.0.0.1:1/"}

    with receiver.up():
        teller.run_once()

    assert "redirects are not followed" in state(database).last_error
    assert len(receiver.received) == 1


def test_many_tellers_send_nothing_twice_and_never_at_once(
    database: Database, receiver: WebhookReceiver, running: Any
) -> None:
    subscribe(database, receiver)
    for _ in range(4):
        running()
    with receiver.up():
        for _ in range(6):
            happen(database, 60)
        assert wait_until(lambda: len(receiver.received) >= 360, 60), state(database)

    assert told(receiver) == list(range(1, 361))
    assert receiver.most_at_once == 1


def test_killed_teller_is_followed_by_another_that_repeats_but_loses_nothing(
    database: Database, settings: Settings, receiver: WebhookReceiver
) -> None:
    brief = settings.model_copy(update={"lease_seconds": 5.0})
    subscribe(database, receiver)
    happen(database, 20)

    class Killed(BaseException):
        """As SIGKILL: nothing is recorded any more."""

    victim = WebhookTeller(database, brief, threading.Event())
    heir = WebhookTeller(database, brief, threading.Event())
    with receiver.up(), pytest.MonkeyPatch.context() as patch:

        def record(progress: Any) -> None:
            raise Killed

        patch.setattr(telling._Progress, "record", record)
        with pytest.raises(Killed):
            victim.run_once()
        patch.undo()
        first = len(receiver.taken)
        assert not heir.run_once(), "the lease of the killed one holds"
        assert wait_until(heir.run_once, _PATIENCE)
        while heir.run_once():
            pass

    assert first == 20
    assert told(receiver) == [*range(1, 21), *range(1, 21)]
    assert state(database).position == 20


def test_slow_receiver_holds_up_no_other(
    database: Database, receiver: WebhookReceiver, running: Any
) -> None:
    with webhook_receiver() as slow:
        released = threading.Event()
        slow.answer = lambda _: 200 if released.wait(_PATIENCE) else 500
        subscribe(database, slow, "slow")
        subscribe(database, receiver, "quick")
        happen(database, 5)
        with slow.up(), receiver.up():
            running()
            running()
            assert wait_until(lambda: len(receiver.taken) == 5, _PATIENCE)
            assert slow.taken == []
            released.set()
            assert wait_until(lambda: len(slow.taken) == 5, _PATIENCE)


def test_removed_webhook_is_told_no_more(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    happen(database, 5)

    def answer(message_id: str) -> int:
        if message_id == "2":
            with database.transaction() as session:
                remove_webhook(session, "emr")
        return 200

    receiver.answer = answer
    with receiver.up(), pytest.MonkeyPatch.context() as patch:
        # As after half a second with one message.
        patch.setattr(telling, "SETTLE_SECONDS", -1.0)
        teller.run_once()

    assert told(receiver) == [1, 2]
    assert not teller.run_once()


def test_disabled_webhook_catches_up_once_it_is_enabled(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    with database.transaction() as session:
        enable_webhook(session, "emr", enabled=False)
    happen(database, 3)

    with receiver.up():
        assert not teller.run_once()
        with database.transaction() as session:
            enable_webhook(session, "emr", enabled=True)
        while teller.run_once():
            pass

    assert told(receiver) == [1, 2, 3]


def test_disabled_webhook_that_is_tried_gets_the_test_message_alone(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    with database.transaction() as session:
        enable_webhook(session, "emr", enabled=False)
        ask_for_test(session, "emr")
    happen(database, 2)

    with receiver.up():
        while teller.run_once():
            pass
        tried = [one.message_id for one in receiver.taken]
        with database.transaction() as session:
            enable_webhook(session, "emr", enabled=True)
        while teller.run_once():
            pass

    taken = [one.message_id for one in receiver.taken]
    assert len(tried) == 1
    assert taken == [*tried, "1", "2"]


def test_state_tells_how_far_behind_it_is(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver, "emr", "job_failed")
    happen(database, 4)

    def states() -> tuple[int, bool]:
        with database.reading() as session:
            (found,) = webhook_states(session)
        return found.behind, found.waiting_since is not None

    nothing_for_it = states()
    happen(database, 1, ChangeKind.JOB_FAILED)

    assert (nothing_for_it, states()) == ((4, False), (5, True))


def test_test_message_is_sent_once_whatever_comes_of_it(
    database: Database, teller: WebhookTeller, receiver: WebhookReceiver
) -> None:
    subscribe(database, receiver)
    with database.transaction() as session:
        ask_for_test(session, "emr")
    teller.run_once()
    down = state(database)
    with database.transaction() as session:
        ask_for_test(session, "emr")

    with receiver.up():
        while teller.run_once():
            pass

    assert (down.is_test_asked, down.last_error) == (False, "no answer: ConnectError")
    (message,) = receiver.received
    assert message.is_signed
    assert (message.body["kind"], message.body["number"]) == ("test", None)
    assert message.message_id.startswith("test-")


# Over HTTP and at the terminal.


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    locked = settings.model_copy(update={"auth": "keys"})
    with database.transaction() as session:
        key = create_key(session, "it", Role.OPERATOR)
    with (
        http_server(locked, database, Storage(locked.storage)) as url,
        httpx.Client(timeout=60, base_url=url, headers={"X-API-Key": key}) as opened,
    ):
        yield opened


def test_secret_is_shown_once(client: httpx.Client) -> None:
    wanted = {"name": "emr", "url": "https://emr.example/hook?token=1", "kinds": ["job_failed"]}

    created = client.post("/v1/webhooks", json=wanted)
    (listed,) = client.get("/v1/webhooks").json()["items"]

    assert created.status_code == 201
    secret = created.json().pop("secret")
    assert secret.startswith("whsec_")
    assert secret not in client.get("/v1/webhooks").text + client.get("/v1/webhooks/emr").text
    assert (listed["name"], listed["kinds"], listed["behind"]) == ("emr", ["job_failed"], 0)
    page = client.get("/webhooks", headers={"Accept": "text/html"}).text
    assert "emr" in page
    assert "token=1" not in page
    assert secret not in page


def test_webhook_is_disabled_tried_and_removed(client: httpx.Client, database: Database) -> None:
    client.post("/v1/webhooks", json={"name": "emr", "url": "https://emr.example/"})

    disabled = client.patch("/v1/webhooks/emr", json={"enabled": False})
    tried = client.post("/v1/webhooks/emr/test")
    is_asked = state(database).is_test_asked
    removed = client.delete("/v1/webhooks/emr")

    assert disabled.json()["enabled"] is False
    assert (tried.status_code, is_asked) == (202, True)
    assert (removed.status_code, client.get("/v1/webhooks/emr").status_code) == (204, 404)


_WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    ("url", {"url": "http://emr.example/"}),
    ("url", {"url": "ftp://127.0.0.1/"}),
    ("url", {"url": "https://user:secret@emr.example/"}),
    ("url", {"url": "https:///nowhere"}),
    ("url", {"url": "https://emr.example:99999/"}),
    ("url", {"url": "https://emr.example/\r\nX: y"}),
    ("url", {"url": "https://[::1/"}),
    ("url", {"url": "https://münchen.example/"}),
    ("name", {"name": "../x"}),
    ("name", {"name": ""}),
    ("kinds", {"kinds": ["job_failed", "nonsense"]}),
    ("after", {"after": 5}),
    ("after", {"after": -1}),
    ("secret", {"secret": "mine"}),
)


def test_what_is_wrong_with_a_subscription_is_named(client: httpx.Client) -> None:
    right = {"name": "emr", "url": "https://emr.example/"}

    answers = [client.post("/v1/webhooks", json={**right, **wrong}) for _, wrong in _WRONG]

    assert [answer.status_code for answer in answers] == [422] * len(_WRONG)
    named = [[e["parameter"] for e in answer.json()["errors"]] for answer in answers]
    assert named == [[name] for name, _ in _WRONG]
    assert client.get("/v1/webhooks").json() == {"items": []}


def test_name_is_taken_once(client: httpx.Client) -> None:
    wanted = {"name": "emr", "url": "https://emr.example/"}

    answers = [client.post("/v1/webhooks", json=wanted) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]


def test_other_roles_see_no_address(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "viewer", Role.VIEWER)

    answer = client.get("/v1/webhooks", headers={"X-API-Key": key})

    assert answer.status_code == 403


def test_setting_allows_plain_http_and_taken_back_stops_it(
    database: Database, settings: Settings
) -> None:
    with database.transaction() as session:
        wanted = Subscription("emr", "http://emr.example/", (), None)
        add_webhook(session, wanted, True, utc_now())
    happen(database, 1)

    WebhookTeller(database, settings, threading.Event()).run_once()

    assert state(database).last_error.startswith("url must begin with https://")


def test_terminal_adds_lists_tries_and_removes(
    settings: Settings,
    database: Database,
    receiver: WebhookReceiver,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if not database.is_sqlite:
        pytest.skip("the terminal is the same on both")
    for name in ("home", "database_url", "auth"):
        monkeypatch.setenv(f"ARCUATE_{name.upper()}", str(getattr(settings, name)))

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["webhooks", *words])

    added = run("add", "emr", receiver.url, "--kind", "job_failed")
    receiver.secret = added.stdout.strip()
    down = run("test", "emr")
    with receiver.up():
        tried = run("test", "emr")
    listed = run("list", "--json")
    removed = run("remove", "emr")

    assert added.exit_code == 0, added.output
    assert type(down.exception).__name__ == "NotTaken"
    assert (tried.exit_code, receiver.taken[0].is_signed) == (0, True)
    assert '"job_failed"' in listed.output
    assert receiver.secret not in listed.output
    assert removed.exit_code == 0

"""How wrong keys, frequent requests and forged ones are answered."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.keys import KeyRow
from core.tables.login_failures import LoginFailureRow
from dicom_node.storage.bytes import Storage
from tests.fixtures.http_server import http_server
from tests.fixtures.signing_in import sign_in

_WRONG = "arcuate_wrong"
_PAUSED = {
    "auth": "keys",
    "login_failures": 3,
    "login_pause_seconds": 600.0,
    "trusted_proxies": "127.0.0.1",
}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update=_PAUSED)


@pytest.fixture
def client(locked: Settings, database: Database) -> Iterator[httpx.Client]:
    with (
        http_server(locked, database, Storage(locked.storage)) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


@pytest.fixture
def key(database: Database) -> str:
    with database.transaction() as session:
        return create_key(session, "clinic", Role.OPERATOR)


def _ask(client: httpx.Client, key: str, address: str = "10.0.0.7") -> httpx.Response:
    headers = {"X-API-Key": key, "X-Forwarded-For": address}
    return client.get("/v1/patients", headers=headers)


def _failures(database: Database) -> list[tuple[str, int]]:
    with database.reading() as session:
        return [(row.address, row.failures) for row in session.exec(select(LoginFailureRow)).all()]


def test_address_pauses_after_wrong_keys(
    client: httpx.Client, database: Database, key: str
) -> None:
    with capture_logs() as events:
        statuses = [_ask(client, _WRONG + str(number)).status_code for number in range(5)]
    right = _ask(client, key)

    assert statuses == [401, 401, 401, 429, 429]
    assert right.status_code == 429
    assert right.headers["content-type"] == "application/problem+json"
    assert 590 < int(right.headers["retry-after"]) <= 600
    assert right.json()["type"] == "urn:arcuate:problem:address-paused"
    # While it pauses nothing is counted: what somebody forges costs us no writing.
    assert _failures(database) == [("10.0.0.7", 3)]
    assert [(e["event"], e["address"], e["failures"]) for e in events] == [
        ("credentials_refused", "10.0.0.7", 1),
        ("credentials_refused", "10.0.0.7", 2),
        ("address_paused", "10.0.0.7", 3),
    ]
    assert _WRONG not in str(events)


def test_others_go_on_while_an_address_pauses(
    client: httpx.Client, database: Database, key: str
) -> None:
    for _ in range(4):
        _ask(client, _WRONG)

    assert _ask(client, key, "10.0.0.8").status_code == 200


def test_whoever_is_known_behind_the_same_proxy_goes_on(
    client: httpx.Client, database: Database, key: str
) -> None:
    client.headers["X-Forwarded-For"] = "10.0.0.7"
    with database.transaction() as session:
        persons = create_key(session, "person")
    assert _ask(client, key).status_code == 200
    sign_in(client, key=persons)
    for _ in range(4):
        _ask(client, _WRONG)

    assert _ask(client, key).status_code == 200
    assert client.get("/v1/patients").status_code == 200
    assert _ask(client, persons).status_code == 429


def test_login_page_pauses_with_the_keys(client: httpx.Client, key: str) -> None:
    client.headers.update({"X-Forwarded-For": "10.0.0.7", "Accept": "text/html"})
    statuses = [sign_in(client, key=_WRONG).status_code for _ in range(4)]
    right = sign_in(client, key=key)

    assert statuses == [401, 401, 401, 429]
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 590
    assert "arcuate_session" not in client.cookies


def test_address_is_of_the_connection_where_no_proxy_is_trusted(
    locked: Settings, database: Database, key: str
) -> None:
    alone = locked.model_copy(update={"trusted_proxies": ""})
    with (
        http_server(alone, database, Storage(alone.storage)) as url,
        httpx.Client(timeout=60, base_url=url) as client,
    ):
        # Whoever tries keys cannot change their address by saying another.
        for number in range(4):
            _ask(client, _WRONG, f"10.0.0.{number}")

    assert _failures(database) == [("127.0.0.1", 3)]


def test_proxy_is_believed_only_for_what_it_added(client: httpx.Client, database: Database) -> None:
    # The client wrote the first; the trusted proxy added the second.
    _ask(client, _WRONG, "10.9.9.9, 10.0.0.7")

    assert _failures(database) == [("10.0.0.7", 1)]


def test_use_of_a_key_is_written_down(client: httpx.Client, database: Database, key: str) -> None:
    _ask(client, key)

    with database.reading() as session:
        row = session.exec(select(KeyRow)).one()
    assert row.last_used_at is not None
    assert row.last_used_from == "10.0.0.7"


def test_caller_who_asks_too_often_is_told_when_to_come_back(
    settings: Settings, database: Database, key: str
) -> None:
    slow = settings.model_copy(update={"auth": "keys", "requests_per_minute": 3})
    with database.transaction() as session:
        other = create_key(session, "other")
    with (
        http_server(slow, database, Storage(slow.storage)) as url,
        httpx.Client(timeout=60, base_url=url) as client,
    ):
        answers = [_ask(client, key) for _ in range(4)]
        others = _ask(client, other)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[3]
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.json()["type"] == "urn:arcuate:problem:asked-too-often"
    assert others.status_code == 200


def test_address_that_signs_in_too_often_waits(
    settings: Settings, database: Database, key: str
) -> None:
    slow = settings.model_copy(update={"auth": "keys", "logins_per_minute": 2})
    with (
        http_server(slow, database, Storage(slow.storage)) as url,
        httpx.Client(timeout=60, base_url=url) as client,
    ):
        statuses = [sign_in(client, key=key).status_code for _ in range(3)]

    assert statuses == [303, 303, 429]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-API-Key": "x" * 40_000}, 431),
        ({"X-Filler": "x" * 40_000}, 431),
        ({f"X-Filler-{number}": "x" * 1000 for number in range(40)}, 431),
        ({"X-API-Key": "x" * 10_000}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Basic YTpi"}, 401),
        ({"Authorization": b"Bearer \xff\xfe"}, 401),
        ({"Cookie": "arcuate_session=" + "x" * 10_000}, 401),
        ({"Cookie": "=;;==; \x01; arcuate_session"}, 401),
        ({"Host": "evil.example"}, 401),
        ({"X-Forwarded-For": "not an address"}, 401),
    ],
)
def test_oversized_and_forged_headers_are_refused(
    client: httpx.Client, headers: dict[str, Any], status: int
) -> None:
    with capture_logs() as events:
        answer = client.get("/v1/patients", headers=headers)

    assert answer.status_code == status
    assert "xxxxx" not in answer.text
    assert "xxxxx" not in str(events)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../security.py",
        "/static/..%2f..%2f..%2fsecurity.py",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/style.css%00",
        "/static/..\\..\\app.py",
        "/v1/predictions/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/predictions/%00",
        "/predictions/%00/grey-scale.png",
        "//evil.example/%2e%2e",
        "/v1//patients",
    ],
)
def test_path_tricks_lead_nowhere(client: httpx.Client, key: str, path: str) -> None:
    url = client.base_url.copy_with(raw_path=path.encode())

    answer = client.get(url, headers={"X-API-Key": key})

    assert answer.status_code in {400, 404, 422}
    assert "root:" not in answer.text
    assert "import" not in answer.text


def test_refused_request_is_recorded_without_its_address(client: httpx.Client, key: str) -> None:
    with capture_logs() as events:
        client.post("/v1/predictions/SPEC-0001/review", headers={"X-API-Key": key})

    assert events == [
        {
            "event": "request_refused",
            "log_level": "warning",
            "cause": "RoleMissing",
            "method": "POST",
            "path": "/v1/predictions/{prediction_id}/review",
            "who": "key:clinic",
        }
    ]

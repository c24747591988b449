from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import create_app
from api.headers import SECURITY_HEADERS
from core.database import Database
from core.keys import Role, create_key, revoke_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import http_server

_HTML = {"Accept": "text/html"}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def client(locked: Settings, database: Database) -> Iterator[httpx.Client]:
    storage = Storage(locked.storage)
    with (
        http_server(locked, database, storage) as url,
        httpx.Client(timeout=60, base_url=url) as opened,
    ):
        yield opened


@pytest.fixture
def key(database: Database) -> str:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        return create_key(session, "clinic", Role.VIEWER)


def test_key_opens_in_both_headers(client: httpx.Client, key: str) -> None:
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        answer = client.get("/v1/predictions/p1", headers=headers)
        assert (answer.status_code, answer.json()["id"]) == (200, "p1")


def test_wrong_and_revoked_keys_are_refused(
    client: httpx.Client, database: Database, key: str
) -> None:
    with database.transaction() as session:
        other = create_key(session, "other")
        revoke_key(session, "other")

    for wrong in ("x", key + "x", other):
        assert client.get("/v1/patients", headers={"X-API-Key": wrong}).status_code == 401


def test_every_answer_has_the_security_headers(client: httpx.Client, key: str) -> None:
    paths = ("/", "/v1/predictions/p1", "/v1/nothing", "/login", "/static/style.css")
    headers = {"X-API-Key": key}

    for path in paths:
        answer = client.get(path, headers=headers)
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        kept = "no-cache" if path.startswith("/static/") else "no-store"
        assert answer.headers["cache-control"] == kept


def test_policy_forbids_inline_scripts_and_frames() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]

    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.startswith("default-src 'none'")


def test_without_authentication_only_this_machine_is_answered(
    settings: Settings, database: Database
) -> None:
    with http_server(settings, database, Storage(settings.storage)) as url:
        assert httpx.get(f"{url}/v1/patients", timeout=60).status_code == 200
        rebound = httpx.get(f"{url}/v1/patients", headers={"Host": "attacker.example"}, timeout=60)

    assert rebound.status_code == 421
    assert rebound.headers["content-type"] == "application/problem+json"


def test_large_and_endless_bodies_are_refused_unread(client: httpx.Client) -> None:
    large = client.post("/login", content=b"key=" + b"x" * 70_000)
    endless = client.post("/login", content=iter([b"key=", b"x"]))

    assert (large.status_code, endless.status_code) == (413, 411)
    for answer in (large, endless):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"


def test_readiness_names_what_fails(client: httpx.Client, locked: Settings) -> None:
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "checks": {"database": "ready", "storage": "ready"},
    }
    storage = locked.home / "instances" / "health"
    storage.rmdir()
    storage.write_text("a file where the folder should be")

    refused = client.get("/health/ready")

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "5"
    checks = refused.json()["checks"]
    assert checks["database"] == "ready"
    assert checks["storage"] != "ready"


def test_every_described_route_says_what_it_does(locked: Settings, database: Database) -> None:
    app = create_app(locked, database, Storage(locked.storage))
    document = app.openapi()

    lacking = [
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if not (operation.get("summary") and operation.get("description"))
    ]
    described = [route for route in app.routes if isinstance(route, APIRoute)]

    assert lacking == []
    assert described
    assert "Problem" in document["components"]["schemas"]
    refused = document["paths"]["/v1/predictions/{prediction_id}"]["get"]["responses"]["404"]
    assert list(refused["content"]) == ["application/problem+json"]

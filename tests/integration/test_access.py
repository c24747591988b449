"""Who may ask what: every route that is served, by nobody and by each role."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Mount

from api.access import Allowed
from api.app import create_app
from api.caller import ANYONE_HERE, Caller, Proof
from api.dashboard.register import PAGES
from api.dicomweb import register as dicomweb
from api.headers import STATIC_PATH
from api.ibm import register as ibm
from api.rest.register import ROUTERS
from api.routes import ACCESS, DOCUMENT, OPEN, RouterUnlisted, access_of
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.http_server import serving

_SERVED = (*OPEN, *ROUTERS, *dicomweb.ROUTERS, *ibm.ROUTERS, *PAGES)
#: The router above holds what these routes are.
_DOCUMENT_PATH = "/openapi.json"

# Which role may what does not depend on the database; one is enough where each route is asked.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Route:
    """A route with those it allows; None for everybody, without a key too."""

    method: str
    path: str
    allowed: Allowed | None

    @property
    def address(self) -> str:
        """An address of it, which nothing is kept under."""
        return re.sub(r"\{[^}]*\}", "1", self.path)


def _routes() -> list[Route]:
    """Return every route of every router, with whom the register lets in."""
    routes = [
        Route(method, route.path, _allowed(router, method, route.path))
        for router in _SERVED
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ]
    return [*routes, Route("GET", _DOCUMENT_PATH, DOCUMENT.reading)]


def _allowed(router: object, method: str, path: str) -> Allowed | None:
    return next(
        (access.allowed(method, path) for listed, access in ACCESS if listed is router), None
    )


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys", "event_streams": 1000})


@pytest.fixture
def app(locked: Settings, database: Database) -> FastAPI:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="1"))
    return create_app(locked, database, Storage(locked.storage))


@pytest.fixture
def client(app: FastAPI, locked: Settings) -> Iterator[httpx.Client]:
    with serving(app, locked) as url, httpx.Client(base_url=url, timeout=60) as opened:
        yield opened


def _status(client: httpx.Client, route: Route, **headers: str) -> int:
    # Some answers have no end: their status is enough.
    with client.stream(route.method, route.address, headers=headers) as answer:
        return answer.status_code


@one_database
def test_every_route_that_is_served_is_in_the_register(app: FastAPI) -> None:
    known = {(route.method, route.path) for route in _routes()}
    served = {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
    }
    mounted = [route.path for route in app.routes if isinstance(route, Mount)]

    assert len(served) > 80
    assert served - known == set()
    assert mounted == [STATIC_PATH]


def test_router_that_is_not_in_the_register_is_not_served() -> None:
    listed = [router for router, _ in ACCESS]

    assert [router for router in _SERVED if router not in (*listed, *OPEN)] == []
    assert len(listed) == len({id(router) for router in listed})
    with pytest.raises(RouterUnlisted):
        access_of(OPEN[0])


def test_exception_in_the_register_is_of_a_route_there_is() -> None:
    declared = {(route.method, route.path) for route in _routes()}

    excepted = {path for _, access in ACCESS for path in access.besides}

    assert excepted
    assert excepted - declared == set()


@one_database
def test_nobody_is_let_in_without_a_key_but_by_the_open_routes(client: httpx.Client) -> None:
    closed = [route for route in _routes() if route.allowed is not None]

    answers = {(r.method, r.path): _status(client, r) for r in closed}
    pages = {
        r.path: client.request(r.method, r.address, headers={"Accept": "text/html"})
        for r in closed
        if not r.path.startswith(("/v1/", "/v2", "/ml/", "/dicom-web/", "/openapi.json"))
    }

    assert {route for route, status in answers.items() if status != 401} == set()
    assert {path for path, page in pages.items() if page.headers.get("location") != "/login"} == (
        set()
    )
    assert [path for path, page in pages.items() if "Sample" in page.text] == []


def test_open_routes_are_few_and_tell_nothing_of_patients() -> None:
    assert {route.path for route in _routes() if route.allowed is None} == {
        "/health/live",
        "/health/ready",
        "/v2/health/live",
        "/v2/health/ready",
        "/metrics",
        "/login",
        "/login/provider",
        "/login/provider/callback",
        "/logout",
        "/logout/everywhere",
        "/preferences",
        # Where the clients of the Watson-compatible API sign in, and first ask what it is.
        "/icp4d-api/v1/authorize",
        "/idprovider/v1/auth/identitytoken",
        "/v1/preauth/validateAuth",
        "/ml/wml_services/v2/version",
    }


@one_database
@pytest.mark.parametrize("role", list(Role))
def test_role_is_refused_exactly_where_the_register_says(
    client: httpx.Client, database: Database, role: Role
) -> None:
    with database.transaction() as session:
        key = create_key(session, role, role)
    caller = Caller("", frozenset({role}), Proof.KEY)
    routes = [(route, route.allowed) for route in _routes() if route.allowed is not None]

    statuses = {r: _status(client, r, **{"X-API-Key": key}) for r, _ in routes}

    refused = {(r.method, r.path) for r, status in statuses.items() if status == 403}
    assert refused == {(r.method, r.path) for r, allowed in routes if not allowed.allows(caller)}
    assert {r.path for r, status in statuses.items() if status in {401, 429, 500}} == set()


@one_database
def test_without_authentication_nobody_does_what_needs_a_name(
    settings: Settings, database: Database, app: FastAPI
) -> None:
    opened = create_app(
        settings.model_copy(update={"event_streams": 1000}),
        database,
        Storage(settings.storage),
    )
    routes = [(route, route.allowed) for route in _routes() if route.allowed is not None]
    with (
        serving(opened, settings) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        statuses = {r: _status(client, r) for r, _ in routes}

    refused = {(r.method, r.path) for r, status in statuses.items() if status == 403}
    assert refused == {
        (r.method, r.path) for r, allowed in routes if not allowed.allows(ANYONE_HERE)
    }


def test_researcher_reads_and_changes_nothing_of_patients() -> None:
    researcher = Caller("", frozenset({Role.RESEARCHER}), Proof.KEY)

    open_to_them = {
        route.path for route in _routes() if route.allowed and route.allowed.allows(researcher)
    }

    # Whose own tensors models score: nothing of the record's is in them.
    scoring = {path for path in open_to_them if path.startswith(("/v2", "/ml/v4/"))}
    assert {path for path in open_to_them - scoring if "research" not in path} == {
        "/account",
        _DOCUMENT_PATH,
    }


@one_database
def test_key_of_several_roles_may_do_what_either_may(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        key = create_key(session, "both", Role.RESEARCHER, Role.OPERATOR)
    headers = {"X-API-Key": key}

    assert client.get("/v1/webhooks", headers=headers).status_code == 200
    assert client.post("/v1/predictions/1/review", headers=headers).status_code == 403

"""Signing in by a real OpenID provider, and what its access tokens open."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import Key
from sqlalchemy import text
from sqlmodel import select
from structlog.testing import capture_logs

from api.app import create_app
from api.door import Door
from api.errors import ProviderAway, TokenRefused
from api.oidc.provider import Provider
from api.oidc.tokens import access_claims
from api.sessions import sign_out_by_name
from arcuate.bench.ports import free_port
from core.clock import utc_now
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from core.tables.login_failures import LoginFailureRow
from core.tables.logins import BrowserSessionRow, ProviderLoginRow
from core.tables.reviews import ReviewRow
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.conftest import miss
from tests.fixtures.audit_trail import audited
from tests.fixtures.http_server import serving
from tests.fixtures.openid_provider import (
    AUDIENCE,
    CLIENT,
    CLIENT_SECRET,
    OpenIdProvider,
    openid_provider,
    provider_build,
    signing_key,
)
from tests.fixtures.provider_pages import callback_of, sign_in_by_provider
from tests.fixtures.signing_in import post_form, token_on

_HTML = {"Accept": "text/html"}
_ROLES = "eye-doctors=clinician; eye-admins=administrator; science=researcher; machines=operator"


@pytest.fixture(scope="module")
def build() -> Path:
    found = provider_build()
    if found is None:
        miss("the OpenID provider (tests/fixtures/fetch_openid_provider fetches it)")
    return found


@pytest.fixture(scope="module")
def node_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def key() -> Key:
    return signing_key("first")


@pytest.fixture(scope="module")
def provider(
    build: Path, node_port: int, key: Key, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenIdProvider]:
    redirect_uri = f"http://127.0.0.1:{node_port}/login/provider/callback"
    folder = tmp_path_factory.mktemp("provider")
    with openid_provider(build, [redirect_uri], key, folder) as running:
        yield running


def _settings(settings: Settings, issuer: str, **more: Any) -> Settings:
    values = {
        "auth": "oidc",
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_audience": AUDIENCE,
        "oidc_scopes": "openid profile groups",
        "oidc_roles": _ROLES,
        "login_failures": 1000,
    }
    return settings.model_copy(update={**values, **more})


@pytest.fixture
def locked(settings: Settings, provider: OpenIdProvider, node_port: int) -> Settings:
    return _settings(settings, provider.issuer, http_port=node_port)


@pytest.fixture
def app(locked: Settings, database: Database) -> FastAPI:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
    return create_app(locked, database, Storage(locked.storage))


@pytest.fixture
def url(app: FastAPI, locked: Settings) -> Iterator[str]:
    with serving(app, locked) as url:
        yield url


@pytest.fixture
def browser(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        timeout=60, base_url=url, headers=_HTML, follow_redirects=True, trust_env=False
    ) as opened:
        yield opened


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60, base_url=url, trust_env=False) as opened:
        yield opened


def _bearer(client: httpx.Client, token: str, path: str = "/v1/patients") -> httpx.Response:
    return client.get(path, headers={"Authorization": f"Bearer {token}"})


# In the browser.


def test_person_signs_in_on_the_provider_and_reviews_under_their_name(
    browser: httpx.Client, url: str, database: Database
) -> None:
    assert "/login/provider" in browser.get("/").text

    page = sign_in_by_provider(browser, "ito")

    assert (str(page.url), page.status_code) == (f"{url}/", 200)
    account = browser.get("/account").text
    assert "Dr. Ito" in account
    assert "clinician" in account
    form = {"decision": "accept", "comment": "", "seen": 0}
    post_form(browser, "/predictions/p1/review", "/predictions/p1", **form)
    with database.reading() as session:
        assert [row.reviewer for row in session.exec(select(ReviewRow)).all()] == ["Dr. Ito"]
        row = session.exec(select(BrowserSessionRow)).one()
        assert (row.name, row.subject, row.roles) == ("Dr. Ito", "ito", ["clinician"])
        assert session.exec(select(ProviderLoginRow)).all() == []


@pytest.mark.parametrize(
    ("roles", "found"), [("eye-doctors=viewer", ["viewer"]), ("others=viewer", None)]
)
def test_roles_of_an_open_session_are_asked_for_again(
    browser: httpx.Client, locked: Settings, database: Database, roles: str, found: list[str] | None
) -> None:
    sign_in_by_provider(browser, "ito")
    # The same record behind a node to which the person's groups mean something else by now.
    later = locked.model_copy(update={"oidc_roles": roles, "http_port": 0})
    app = create_app(later, database, Storage(later.storage))
    with (
        serving(app, later) as url,
        httpx.Client(timeout=60, base_url=url, cookies=browser.cookies, trust_env=False) as there,
    ):
        assert there.get("/v1/patients").status_code == 200
        with database.transaction() as session:
            row = session.exec(select(BrowserSessionRow)).one()
            assert row.refresh_token.startswith("ey")
            row.roles_read_at = utc_now() - timedelta(hours=1)

        answers = [there.get("/v1/patients").status_code for _ in range(2)]

    with database.reading() as session:
        kept = [row.roles for row in session.exec(select(BrowserSessionRow)).all()]
    assert (answers, kept) == (([200] * 2, [found]) if found else ([401] * 2, []))


def test_person_of_several_groups_has_the_roles_of_all(
    browser: httpx.Client, database: Database
) -> None:
    sign_in_by_provider(browser, "ada")

    with database.reading() as session:
        row = session.exec(select(BrowserSessionRow)).one()
    assert row.roles == ["clinician", "administrator"]


def test_researcher_of_the_provider_sees_no_patient(browser: httpx.Client) -> None:
    sign_in_by_provider(browser, "rhea")

    assert "researcher" in browser.get("/account").text
    assert browser.get("/v1/patients").status_code == 403
    assert browser.get("/predictions/p1").status_code == 403


def test_person_without_a_role_here_is_told_so(browser: httpx.Client, database: Database) -> None:
    page = sign_in_by_provider(browser, "guest")

    assert page.status_code == 403
    assert "have no role here" in page.text
    with database.reading() as session:
        assert session.exec(select(BrowserSessionRow)).all() == []


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("ito", ("Dr. Ito", "clinician", "login", "success")),
        ("guest", ("unknown", "", "login_failed", "refused")),
    ],
)
def test_signing_in_by_the_provider_is_in_the_audit_trail(
    browser: httpx.Client, database: Database, account: str, expected: tuple[str, ...]
) -> None:
    sign_in_by_provider(browser, account)

    rows = [row for row in audited(database) if row.action.startswith("login")]
    assert [(row.actor, row.actor_role, row.action, row.outcome) for row in rows] == [expected]


def test_signing_in_whose_entry_cannot_be_written_signs_nobody_in(
    browser: httpx.Client, database: Database
) -> None:
    callback = callback_of(browser, "ito")
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_waiting RENAME TO audit_gone"))

    answer = browser.get(callback)

    assert answer.status_code >= 500
    with database.reading() as session:
        assert session.exec(select(BrowserSessionRow)).all() == []


def test_request_to_the_provider_is_bound_to_this_browser(url: str) -> None:
    with httpx.Client(timeout=60, base_url=url, trust_env=False) as browser:
        first = browser.get("/login/provider")
        second = browser.get("/login/provider")

    asked = [httpx.URL(answer.headers["location"]).params for answer in (first, second)]
    assert asked[0]["response_type"] == "code"
    assert asked[0]["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name]) >= 43
        assert asked[0][name] != asked[1][name]
    assert "HttpOnly" in first.headers["set-cookie"]


def test_code_is_taken_once_and_from_the_browser_that_asked_for_it(
    browser: httpx.Client, url: str, database: Database
) -> None:
    callback = callback_of(browser, "ito")
    with httpx.Client(timeout=60, headers=_HTML, trust_env=False) as other:
        stolen = other.get(callback)

    assert stolen.status_code == 401
    assert "arcuate_session" not in stolen.headers.get("set-cookie", "")
    assert browser.get(callback, follow_redirects=False).status_code == 303
    browser.cookies.clear()
    assert browser.get(callback).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"state": "forged"},
        {"state": ""},
        {"code": "forged"},
        {"code": ""},
        {"iss": "https://other.example"},
        {"code": "x" * 5000},
        {"state": "\0"},
    ],
)
def test_forged_return_from_the_provider_signs_nobody_in(
    browser: httpx.Client, database: Database, change: dict[str, str]
) -> None:
    callback = callback_of(browser, "ito")

    refused = browser.get(callback.copy_merge_params(change))

    assert refused.status_code in {401, 422, 503}
    assert "forged" not in refused.text
    with database.reading() as session:
        assert session.exec(select(BrowserSessionRow)).all() == []


def test_person_who_declines_is_not_signed_in(browser: httpx.Client) -> None:
    state = callback_of(browser, "ito").params["state"]

    refused = browser.get(
        "/login/provider/callback", params={"error": "access_denied", "state": state}
    )

    assert refused.status_code == 401
    assert browser.get("/v1/patients").status_code == 401


def test_session_of_the_provider_that_was_stolen_ends_with_signing_out(
    browser: httpx.Client,
) -> None:
    sign_in_by_provider(browser, "ito")
    stolen = browser.cookies["arcuate_session"]
    assert browser.get("/v1/patients").status_code == 200

    post_form(browser, "/logout")

    browser.cookies.set("arcuate_session", stolen, domain="127.0.0.1")
    assert browser.get("/v1/patients").status_code == 401


# By access token.


def test_program_shows_a_token_of_the_provider(
    client: httpx.Client, provider: OpenIdProvider
) -> None:
    token = provider.machine_token()

    assert _bearer(client, token).status_code == 200
    # The role of its group, and no more.
    assert _bearer(client, token, "/v1/webhooks").status_code == 200
    reviewed = client.post(
        "/v1/predictions/p1/review",
        json={"decision": "accept"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert reviewed.status_code == 403


def test_token_for_another_service_is_refused(
    client: httpx.Client, provider: OpenIdProvider
) -> None:
    answer = _bearer(client, provider.machine_token("https://other.example"))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "aud" in answer.json()["detail"]


def test_key_goes_on_beside_the_provider(client: httpx.Client, database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "archive", Role.OPERATOR)

    assert client.get("/v1/webhooks", headers={"X-API-Key": key}).status_code == 200
    assert _bearer(client, key, "/v1/webhooks").status_code == 200
    assert _bearer(client, key + "x").status_code == 401


def test_person_by_token_is_called_as_by_page(
    client: httpx.Client, provider: OpenIdProvider, database: Database
) -> None:
    token = provider.sign(provider.claims())

    client.post(
        "/v1/predictions/p1/review",
        json={"decision": "accept"},
        headers={"Authorization": f"Bearer {token}"},
    )

    with database.reading() as session:
        assert session.exec(select(ReviewRow)).one().reviewer == "Dr. Ito"


_NOW = int(time())
_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": _NOW - 60},
    "without an end": {"exp": None},
    "not yet valid": {"nbf": _NOW + 3600},
    "issued in the future": {"iat": _NOW + 3600},
    "of another issuer": {"iss": "https://other.example"},
    "of no issuer": {"iss": None},
    "for another service": {"aud": "https://other.example"},
    "for other services": {"aud": ["https://other.example", "https://arcuate.example"]},
    "for nobody": {"aud": None},
    "of nobody": {"sub": None},
    "of no text": {"sub": 4711},
    "that tells who signed in": {"nonce": "x"},
}


@pytest.mark.parametrize("changed", list(_CLAIMS.values()), ids=list(_CLAIMS))
def test_token_of_wrong_claims_is_refused(
    client: httpx.Client, provider: OpenIdProvider, changed: dict[str, Any]
) -> None:
    token = provider.sign(provider.claims(**changed))

    with capture_logs() as events:
        answer = _bearer(client, token)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "token_refused" in [event["event"] for event in events]
    assert token not in str(events)
    assert "Dr. Ito" not in str(events) + answer.text


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _with_shared_secret(provider: OpenIdProvider, secret: bytes) -> str:
    """Return a token signed with what everybody knows, as if it were the secret of both sides."""
    header = {"alg": "HS256", "kid": provider.key.kid, "typ": "at+jwt"}
    text = f"{_part(header)}.{_part(provider.claims())}"
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _unsigned(provider: OpenIdProvider, algorithm: str = "none") -> str:
    return f"{_part({'alg': algorithm, 'typ': 'at+jwt'})}.{_part(provider.claims())}."


def _of_other_key(provider: OpenIdProvider, **header: Any) -> str:
    other = OpenIdProvider(provider.issuer, signing_key("other"))
    return other.sign(provider.claims(), **header)


def _with_key_inside(provider: OpenIdProvider) -> str:
    other = signing_key("inside")
    forger = OpenIdProvider(provider.issuer, other)
    return forger.sign(provider.claims(), jwk=other.as_dict(private=False))


def _changed_after_signing(provider: OpenIdProvider) -> str:
    header, _, signature = provider.sign(provider.claims()).split(".")
    return f"{header}.{_part(provider.claims(groups=['eye-admins']))}.{signature}"


_FORGED: dict[str, Callable[[OpenIdProvider], str]] = {
    "unsigned": _unsigned,
    "unsigned in capitals": lambda p: _unsigned(p, "NONE"),
    "signed with the public key as a secret": lambda p: _with_shared_secret(
        p, p.key.as_pem(private=False)
    ),
    "signed with the public modulus as a secret": lambda p: _with_shared_secret(
        p, str(p.key.as_dict(private=False)["n"]).encode()
    ),
    "signed with nothing as a secret": lambda p: _with_shared_secret(p, b""),
    "signed with another key": lambda p: _of_other_key(p, kid=p.key.kid),
    "signed with an unknown key": _of_other_key,
    "signed with the key it brings": _with_key_inside,
    "signed with a key from elsewhere": lambda p: _of_other_key(
        p, kid=p.key.kid, jku="https://evil.example/keys"
    ),
    "changed after signing": _changed_after_signing,
    "of another type": lambda p: p.sign(p.claims(), typ="logout+jwt"),
    "of a critical member": lambda p: p.sign(p.claims()).replace(
        p.sign(p.claims()).split(".")[0],
        _part({"alg": "RS256", "kid": p.key.kid, "crit": ["exp"], "exp": 1}),
    ),
    "without a signature": lambda p: p.sign(p.claims()).rpartition(".")[0] + ".",
    "of two parts": lambda p: p.sign(p.claims()).rpartition(".")[0],
    "of five parts": lambda p: p.sign(p.claims()) + ".x.y",
    "no JSON": lambda _: "e30.e30.e30",
    "no token": lambda _: "x",
    "too long": lambda p: p.sign(p.claims(filler="x" * 15_000)),
}


@pytest.mark.parametrize("forge", list(_FORGED.values()), ids=list(_FORGED))
def test_forged_token_is_refused(
    client: httpx.Client, provider: OpenIdProvider, forge: Callable[[OpenIdProvider], str]
) -> None:
    token = forge(provider)

    with capture_logs() as events:
        answer = _bearer(client, token)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "token_refused" in [event["event"] for event in events]
    if len(token) > 10:
        assert token not in str(events)


def test_token_of_nobody_with_a_role_is_refused(
    client: httpx.Client, provider: OpenIdProvider
) -> None:
    for groups in (["others"], [], None, "others", {"eye-doctors": 1}, [["eye-doctors"]]):
        answer = _bearer(client, provider.sign(provider.claims(groups=groups)))

        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:arcuate:problem:login-without-role"


def test_token_from_before_signing_out_everywhere_is_refused(
    client: httpx.Client, provider: OpenIdProvider, database: Database
) -> None:
    stolen = provider.sign(provider.claims())
    assert _bearer(client, stolen).status_code == 200

    with database.transaction() as session:
        sign_out_by_name(session, "ito")

    assert _bearer(client, stolen).status_code == 401
    assert _bearer(client, provider.sign(provider.claims(sub="abe"))).status_code == 200
    later = provider.claims(iat=int(time()) + 20)
    assert _bearer(client, provider.sign(later)).status_code == 200


def test_forged_tokens_are_counted_and_old_ones_are_not(
    settings: Settings, provider: OpenIdProvider, database: Database
) -> None:
    strict = _settings(settings, provider.issuer, login_failures=2, login_pause_seconds=600.0)
    app = create_app(strict, database, Storage(strict.storage))
    expired = provider.sign(provider.claims(exp=_NOW - 60))
    with (
        serving(app, strict) as url,
        httpx.Client(timeout=60, base_url=url, trust_env=False) as client,
    ):
        old = [_bearer(client, expired).status_code for _ in range(4)]
        forged = [_bearer(client, _unsigned(provider)).status_code for _ in range(4)]
        right = _bearer(client, provider.machine_token())

    assert (old, forged) == ([401] * 4, [401, 401, 429, 429])
    # One that is right cannot be guessed: those behind the same proxy go on.
    assert right.status_code == 200
    with database.reading() as session:
        assert [row.failures for row in session.exec(select(LoginFailureRow)).all()] == [2]


def test_form_of_a_person_of_the_provider_needs_its_token(browser: httpx.Client) -> None:
    sign_in_by_provider(browser, "ito")
    token = token_on(browser, "/account")

    assert browser.post("/logout", data={"csrf_token": "x"}).status_code == 403
    assert browser.post("/logout", data={"csrf_token": token}).status_code == 200


# When the provider changes, or is away.


class Clock:
    """A clock that a test sets, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_keys_are_changed_by_the_provider_at_any_time(
    build: Path, settings: Settings, tmp_path: Path
) -> None:
    clock, port = Clock(), free_port()
    keys = signing_key("old"), signing_key("new", "EC")
    uris = ["http://127.0.0.1:1/login/provider/callback"]
    with openid_provider(build, uris, keys[0], tmp_path, port) as old:
        known = Provider(_settings(settings, old.issuer), clock)
        assert access_claims(known, old.sign(old.claims()))["sub"] == "ito"
    with openid_provider(build, uris, keys[1], tmp_path, port) as new:
        fresh = new.sign(new.claims())
        # A token cannot make us ask all the time.
        with pytest.raises(TokenRefused):
            access_claims(known, fresh)
        clock.now += 15
        assert access_claims(known, fresh)["sub"] == "ito"
        with pytest.raises(TokenRefused):
            access_claims(known, old.sign(old.claims()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_known_keys_hold_for_an_hour_while_the_provider_is_away(
    build: Path, settings: Settings, tmp_path: Path, key: Key
) -> None:
    clock = Clock()
    uris = ["http://127.0.0.1:1/login/provider/callback"]
    with openid_provider(build, uris, key, tmp_path) as running:
        known = Provider(_settings(settings, running.issuer), clock)
        token = running.sign(running.claims())
        access_claims(known, token)
    clock.now += 3599
    assert access_claims(known, token)["sub"] == "ito"
    clock.now += 1
    with pytest.raises(ProviderAway):
        access_claims(known, token)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tokens_that_name_other_keys_do_not_wear_the_known_ones_out(
    build: Path, settings: Settings, tmp_path: Path, key: Key
) -> None:
    clock = Clock()
    uris = ["http://127.0.0.1:1/login/provider/callback"]
    with openid_provider(build, uris, key, tmp_path) as running:
        known = Provider(_settings(settings, running.issuer), clock)
        token, forged = running.sign(running.claims()), _of_other_key(running, kid="unknown")
        access_claims(known, token)
    clock.now += 15
    with capture_logs() as logs:
        for _ in range(20):
            with pytest.raises(TokenRefused):
                access_claims(known, forged)

    assert access_claims(known, token)["sub"] == "ito"
    # The provider is away: it was asked once, and is again after the pause.
    assert [line["event"] for line in logs].count("provider_away") == 1
    clock.now += 15
    with capture_logs() as logs, pytest.raises(TokenRefused):
        access_claims(known, forged)
    assert [line["event"] for line in logs].count("provider_away") == 1


def test_provider_that_is_away_is_said(settings: Settings, database: Database) -> None:
    away = _settings(settings, f"http://127.0.0.1:{free_port()}")
    app = create_app(away, database, Storage(away.storage))
    with (
        serving(app, away) as url,
        httpx.Client(timeout=60, base_url=url, trust_env=False) as client,
    ):
        page = client.get("/login/provider", headers=_HTML)
        answer = _bearer(client, f"{_part({'alg': 'RS256'})}.e30.e30")

    assert page.status_code == 503
    assert "does not answer" in page.text
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_provider_that_names_itself_otherwise_is_not_believed(
    settings: Settings, provider: OpenIdProvider
) -> None:
    other = Provider(_settings(settings, provider.issuer.replace("127.0.0.1", "localhost")))

    with pytest.raises(ProviderAway, match="names itself otherwise"):
        other.endpoints()


def test_there_is_no_signing_in_by_a_provider_without_one(
    settings: Settings, database: Database
) -> None:
    locked = settings.model_copy(update={"auth": "keys"})
    app = create_app(locked, database, Storage(locked.storage))
    door: Door = app.state.door
    with serving(app, locked) as url, httpx.Client(timeout=60, base_url=url) as client:
        answers = [client.get(f"/login/provider{path}") for path in ("", "/callback")]

    assert door.provider is None
    assert [answer.status_code for answer in answers] == [404, 404]

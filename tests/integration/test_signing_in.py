"""Signing in and out of the pages, and what a session's cookie is worth."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from api.logins import create_first_link, create_link, create_login_token
from core.database import Database
from core.keys import Role, create_key, find_key, revoke_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.fixtures.certificates import calling_context, make_authority
from tests.fixtures.http_server import http_server
from tests.fixtures.signing_in import post_form, sign_in, token_on

_HTML = {"Accept": "text/html"}


@pytest.fixture
def locked(settings: Settings) -> Settings:
    return settings.model_copy(update={"auth": "keys"})


@pytest.fixture
def url(locked: Settings, database: Database) -> Iterator[str]:
    with http_server(locked, database, Storage(locked.storage)) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60, base_url=url) as opened:
        yield opened


@pytest.fixture
def key(database: Database) -> str:
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
        return create_key(session, "dr-ito", Role.CLINICIAN)


def _is_signed_in(client: httpx.Client) -> bool:
    return client.get("/v1/patients").status_code == 200


def test_browser_is_led_to_the_login_and_signs_in_with_a_key(
    client: httpx.Client, key: str
) -> None:
    asked = client.get("/", headers=_HTML)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")

    signed_in = sign_in(client, key=key)

    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
    cookie = signed_in.headers["set-cookie"]
    assert cookie.startswith("arcuate_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert key not in cookie
    assert client.get("/", headers=_HTML).status_code == 200
    assert client.get("/v1/predictions/p1").status_code == 200


def test_wrong_key_is_refused_on_the_login_page(client: httpx.Client, key: str) -> None:
    refused = sign_in(client, key="<b>wrong")

    assert refused.status_code == 401
    assert "arcuate_session" not in refused.headers.get("set-cookie", "")
    assert "<b>wrong" not in refused.text


def test_one_time_link_works_once_and_not_by_looking_at_it(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        token = create_login_token(session)

    for _ in range(2):
        looked_at = client.get("/login", params={"token": token})
        assert looked_at.status_code == 200
        assert "arcuate_session" not in looked_at.headers.get("set-cookie", "")
    assert sign_in(client, token=token).status_code == 303
    assert client.get("/", headers=_HTML).status_code == 200

    client.cookies.clear()
    assert sign_in(client, token=token).status_code == 401


def test_first_link_shows_the_key_of_the_first_administrator_once(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        first, second = create_first_link(session), create_first_link(session)
    asked = client.get("/login", params={"token": first})
    assert "first administrator" in asked.text

    shown = sign_in(client, token=first, name="Ada")

    assert shown.status_code == 200
    [key] = re.findall(r'id="key">(arcuate_[\w-]+)<', shown.text)
    with database.reading() as session:
        row = find_key(session, key)
    assert row is not None
    assert (row.name, row.roles) == ("Ada", ["administrator"])
    assert "Ada" in client.get("/account", headers=_HTML).text
    client.cookies.clear()
    assert sign_in(client, token=second, name="Eve").status_code == 401


def test_name_that_is_taken_is_said_and_another_may_be_chosen(
    client: httpx.Client, database: Database
) -> None:
    with database.transaction() as session:
        create_key(session, "Ada")
        token = create_first_link(session)

    assert sign_in(client, token=token, name="Ada").status_code == 409
    assert sign_in(client, token=token, name="Bea").status_code == 200


def test_link_signs_in_under_the_name_of_its_key(
    client: httpx.Client, database: Database, key: str
) -> None:
    with database.transaction() as session:
        token = create_link(session, "dr-ito")

    assert sign_in(client, token=token).status_code == 303
    assert "dr-ito" in client.get("/account", headers=_HTML).text


def test_each_signing_in_gives_another_session_and_ends_the_one_before(
    client: httpx.Client, key: str
) -> None:
    sign_in(client, key=key)
    before = dict(client.cookies)
    sign_in(client, key=key)
    after = dict(client.cookies)

    assert before["arcuate_session"] != after["arcuate_session"]
    assert _is_signed_in(client)
    client.cookies.clear()
    client.cookies.update(before)
    assert not _is_signed_in(client)


def test_cookie_that_was_there_before_is_not_the_session_after(
    client: httpx.Client, key: str
) -> None:
    client.cookies.set("arcuate_session", "planted", domain="127.0.0.1")

    sign_in(client, key=key)

    assert client.cookies.get("arcuate_session") != "planted"
    client.cookies.clear()
    client.cookies.set("arcuate_session", "planted")
    assert not _is_signed_in(client)


def test_session_that_was_stolen_ends_with_signing_out(client: httpx.Client, key: str) -> None:
    sign_in(client, key=key)
    stolen = dict(client.cookies)

    assert post_form(client, "/logout").status_code == 303

    assert "arcuate_session" not in client.cookies
    client.cookies.update(stolen)
    assert not _is_signed_in(client)


def test_signing_out_everywhere_ends_the_other_browsers_too(
    client: httpx.Client, url: str, key: str, database: Database
) -> None:
    with database.transaction() as session:
        others_key = create_key(session, "dr-abe")
    with (
        httpx.Client(timeout=60, base_url=url) as second,
        httpx.Client(base_url=url, timeout=60) as other,
    ):
        sign_in(client, key=key)
        sign_in(second, key=key)
        sign_in(other, key=others_key)

        post_form(client, "/logout/everywhere")

        assert [_is_signed_in(one) for one in (client, second, other)] == [False, False, True]


def test_session_ends_when_its_key_is_revoked(
    client: httpx.Client, key: str, database: Database
) -> None:
    sign_in(client, key=key)

    with database.transaction() as session:
        revoke_key(session, "dr-ito")

    assert not _is_signed_in(client)


@pytest.mark.parametrize("cookie", ["x", "x" * 4000, "..%2f..%2f", "%00", "' OR 1=1 --"])
def test_forged_cookie_is_refused_and_recorded_without_it(
    client: httpx.Client, cookie: str
) -> None:
    client.cookies.set("arcuate_session", cookie)

    with capture_logs() as events:
        answer = client.get("/v1/patients")

    assert answer.status_code == 401
    assert [event["event"] for event in events] == ["session_refused"]
    assert cookie not in str(events).replace("127.0.0.1", "")


def test_over_tls_cookies_come_from_this_host_alone(
    locked: Settings, database: Database, key: str, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path / "authority")
    node = authority.issue("node")
    secured = locked.model_copy(update={"tls_cert": str(node.path), "tls_key": str(node.key)})
    with (
        http_server(secured, database, Storage(secured.storage)) as url,
        httpx.Client(timeout=60, base_url=url, verify=calling_context(authority, None)) as client,
    ):
        answer = sign_in(client, key=key)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-arcuate_session=")
        for attribute in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
            assert attribute in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert _is_signed_in(client)
        # The same without the prefix, as another host could set it.
        secret = client.cookies["__Host-arcuate_session"]
        client.cookies.clear()
        client.cookies.set("arcuate_session", secret)
        assert not _is_signed_in(client)


# The token of forms.


def test_form_without_our_token_is_refused(client: httpx.Client, key: str) -> None:
    assert client.post("/login", data={"key": key}).status_code == 403
    sign_in(client, key=key)
    token = token_on(client, "/account")
    path = "/predictions/p1/review"

    for wrong in ("", "x", token[:-1], token + "x", token.upper()):
        refused = client.post(path, data={"decision": "accept", "csrf_token": wrong})
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:arcuate:problem:form-refused"
    data = {"decision": "accept", "seen": 0, "csrf_token": token}
    assert client.post(path, data=data).status_code == 303


def test_token_is_of_one_session(client: httpx.Client, url: str, key: str) -> None:
    with httpx.Client(timeout=60, base_url=url) as other:
        sign_in(other, key=key)
        others = token_on(other, "/account")
    sign_in(client, key=key)

    refused = client.post("/logout", data={"csrf_token": others})

    assert refused.status_code == 403
    assert _is_signed_in(client)


def test_script_shows_the_token_in_a_header(client: httpx.Client, key: str) -> None:
    sign_in(client, key=key)
    token = token_on(client, "/account")
    path, review = "/v1/predictions/p1/review", {"decision": "accept"}

    assert client.post(path, json=review).status_code == 403
    assert client.post(path, json=review, headers={"X-CSRF-Token": token}).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_form_of_another_site_is_refused_with_a_token_too(
    client: httpx.Client, key: str, headers: dict[str, str]
) -> None:
    sign_in(client, key=key)
    token = token_on(client, "/account")

    refused = client.post("/logout", data={"csrf_token": token}, headers=headers)

    assert refused.status_code == 403
    assert _is_signed_in(client)


def test_program_with_a_key_needs_no_token(client: httpx.Client, key: str) -> None:
    answer = client.post(
        "/v1/predictions/p1/review", json={"decision": "accept"}, headers={"X-API-Key": key}
    )

    assert answer.status_code == 201


def test_every_page_with_a_form_has_its_token(client: httpx.Client, key: str) -> None:
    sign_in(client, key=key)
    for path in ("/", "/account", "/predictions/p1", "/deliveries"):
        page = client.get(path, headers=_HTML).text
        forms = page.count('method="post"')
        assert page.count('name="csrf_token"') == forms, path
    assert forms

"""Signing in and out in a real browser: by the first link, by a key, by an OpenID provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.logins import create_first_link
from arcuate.bench.ports import free_port
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction
from tests.conftest import miss
from tests.fixtures.http_server import http_server
from tests.fixtures.openid_provider import (
    AUDIENCE,
    CLIENT,
    CLIENT_SECRET,
    openid_provider,
    provider_build,
    signing_key,
)

# What a page shows does not depend on the database; one is enough here.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def faults() -> list[str]:
    """What the browser blocked or could not run."""
    return []


def _page(browser: Browser, url: str, faults: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=url)
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda message: faults.append(message.text) if "Policy" in message.text else None,
    )
    yield opened
    context.close()


@pytest.fixture
def page(
    browser: Browser, settings: Settings, database: Database, faults: list[str]
) -> Iterator[Page]:
    locked = settings.model_copy(update={"auth": "keys"})
    with http_server(locked, database, Storage(locked.storage)) as url:
        yield from _page(browser, url, faults)


@pytest.fixture
def clinic(
    browser: Browser, settings: Settings, database: Database, faults: list[str], tmp_path: Path
) -> Iterator[Page]:
    """A page of a node whose people are those of a provider."""
    build = provider_build()
    if build is None:
        miss("the OpenID provider (tests/fixtures/fetch_openid_provider fetches it)")
    port = free_port()
    with database.transaction() as session:
        keep_prediction(session, build_prediction(prediction_id="p1"))
    uris = [f"http://127.0.0.1:{port}/login/provider/callback"]
    with openid_provider(build, uris, signing_key("one"), tmp_path) as provider:
        values = {
            "http_port": port,
            "auth": "oidc",
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_audience": AUDIENCE,
            "oidc_scopes": "openid profile groups",
            "oidc_roles": "eye-doctors=clinician",
        }
        locked = settings.model_copy(update=values)
        with http_server(locked, database, Storage(locked.storage)) as url:
            yield from _page(browser, url, faults)


def _session(page: Page) -> dict[str, object]:
    [cookie] = [one for one in page.context.cookies() if "session" in str(one.get("name"))]
    return dict(cookie)


def test_first_administrator_is_made_and_comes_back_with_their_key(
    page: Page, database: Database, faults: list[str]
) -> None:
    with database.transaction() as session:
        token = create_first_link(session)
    page.goto(f"/login?token={token}")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Become administrator").click()
    expect(page.get_by_role("heading", name="Your key")).to_be_visible()
    key = page.locator("#key").inner_text()
    page.get_by_role("link", name="I have kept it").click()
    page.goto("/account")
    expect(page.get_by_role("heading", name="Ada")).to_be_visible()
    expect(page.get_by_text("administrator", exact=True)).to_be_visible()

    page.get_by_role("main").get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_label("API key")).to_be_hidden()

    page.goto("/account")
    expect(page.get_by_role("heading", name="Ada")).to_be_visible()
    assert faults == []


def test_scripts_cannot_read_the_session(page: Page, database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "dr-ito", Role.CLINICIAN)
    page.goto("/login")
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_label("API key")).to_be_hidden()
    page.goto("/account")

    assert "session" not in page.evaluate("document.cookie")
    cookie = _session(page)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_person_signs_in_on_the_page_of_their_provider(clinic: Page, faults: list[str]) -> None:
    clinic.goto("/predictions/p1")
    clinic.get_by_role("link", name="Sign in with your clinic's account").click()
    clinic.get_by_placeholder("Enter any login").fill("ito")
    clinic.get_by_placeholder("and password").fill("any")
    clinic.get_by_role("button", name="Sign-in").click()
    clinic.get_by_role("button", name="Continue").click()

    clinic.goto("/predictions/p1")
    clinic.get_by_role("button", name="Accept").click()

    expect(clinic.get_by_text("by Dr. Ito")).to_be_visible()
    clinic.goto("/account")
    clinic.get_by_role("main").get_by_role("button", name="Sign out", exact=True).click()
    expect(clinic.get_by_role("link", name="Sign in with your clinic's account")).to_be_visible()
    clinic.goto("/predictions/p1")
    expect(clinic.get_by_role("heading", name="Sign in")).to_be_visible()
    assert faults == []

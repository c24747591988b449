"""What holds for every page, in every language and both looks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from api.dashboard.languages import LANGUAGES
from api.dashboard.navigation import NAVIGATION
from core.database import Database
from core.keys import Role, create_key
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.browser.reader import Choice, reader, session_of
from tests.browser.site import SITE, SitePage
from tests.builders.site import keep_operations, keep_results
from tests.fixtures.http_server import http_server

pytestmark = pytest.mark.browser

_PREVIEW = "previews/ab/scan.png"
_PHONE = 390
_DESK = 1280
#: With everything it needs, as sent.
_HEAVIEST_BYTES = 500_000
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

every_page = pytest.mark.parametrize("shown", SITE, ids=lambda shown: shown.name)


@dataclass(frozen=True)
class Site:
    """A node whose pages are full: its address, who is signed in, and the names in its paths."""

    url: str
    session: str
    names: Mapping[str, str]

    def open(self, page: Page, shown: SitePage) -> None:
        page.goto(shown.path.format(**self.names), wait_until="load")

    def session_for(self, shown: SitePage) -> str | None:
        return None if shown.is_open else self.session


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    copyfile(sqlite_template, home / "arcuate.db")
    url = f"sqlite:///{home}/arcuate.db"
    settings = Settings(home=home, database_url=url, dicom_port=0, http_port=0, auth="keys")
    database, storage = Database(url), Storage(settings.storage)
    picture = BytesIO()
    Image.fromarray(np.full((496, 768), 90, np.uint8)).save(picture, "PNG")
    storage.put(_PREVIEW, picture.getvalue())
    with database.transaction() as session:
        names = keep_results(session, _PREVIEW)
        keep_operations(session)
        key = create_key(session, "reader", Role.ADMINISTRATOR)
    with http_server(settings, database, storage) as address:
        yield Site(address, session_of(address, key), names)
    database.close()


@every_page
@pytest.mark.parametrize(
    "choices",
    [
        # Colours are those of the look, words those of the language: each once. English has the
        # longer words, for which a phone is the harder screen.
        pytest.param(
            [Choice("en", "light", _PHONE), Choice("zh_Hant", "dark", _DESK)],
            id="each",
        ),
        pytest.param(
            [Choice(*one) for one in product(LANGUAGES, ("light", "dark"), (_PHONE, _DESK))],
            id="all",
            marks=[pytest.mark.slow],
        ),
    ],
)
def test_page_serves_everybody(
    browser: Browser, site: Site, shown: SitePage, choices: list[Choice]
) -> None:
    found = []
    for choice in choices:
        with reader(browser, site.url, site.session_for(shown), choice) as page:
            found += [f"{choice}: {fault}" for fault in _faults(site, page, shown, choice.width)]

    assert found == []


def _faults(site: Site, page: Page, shown: SitePage, width: int) -> Iterator[str]:
    """Open a page; yield what keeps somebody from reading it, and what it asks of others."""
    heard: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    sent = _count_bytes(page)
    site.open(page, shown)
    page.wait_for_function("document.readyState === 'complete'")
    yield from (fault for fault in heard if not _is_expected(fault, shown))
    yield from (f"asks {host}" for host in hosts - {site.url.removeprefix("http://")})
    if not 0 < sum(sent) < _HEAVIEST_BYTES:
        yield f"{sum(sent)} bytes"
    if page.evaluate("document.documentElement.scrollWidth") != width:
        yield "wider than the screen"
    results = Axe().run(page, options=_RULES).response
    if len(results["passes"]) <= 10:
        yield "was not looked at"
    yield from (_told(violation) for violation in results["violations"])


def test_navigation_leads_to_pages_only(browser: Browser, site: Site) -> None:
    paths = [entry.path for group in NAVIGATION for entry in group.entries]
    with reader(browser, site.url, site.session, Choice()) as page:
        answers = {path: page.request.get(path).status for path in paths}

    assert answers == dict.fromkeys(paths, 200)


def test_menu_of_a_phone_opens_by_keyboard_and_leads_on(browser: Browser, site: Site) -> None:
    with reader(browser, site.url, site.session, Choice(width=_PHONE)) as page:
        page.goto("/")
        assert not page.get_by_role("link", name="Devices").is_visible()

        page.get_by_role("button", name="Menu").press("Enter")
        page.get_by_role("link", name="Devices").press("Enter")
        page.wait_for_url("**/devices")


def test_reader_changes_language_and_look_where_they_are(browser: Browser, site: Site) -> None:
    with reader(browser, site.url, site.session, Choice()) as page:
        page.goto("/devices")
        light = page.evaluate("getComputedStyle(document.body).color")

        page.get_by_role("button", name="繁體中文").click()
        page.get_by_role("button", name="深色").click()

        expect(page.get_by_role("button", name="登出")).to_be_visible()
        assert page.url == f"{site.url}/devices"
        assert page.evaluate("getComputedStyle(document.body).color") != light


def _told(violation: Mapping[str, list[Mapping[str, object]]]) -> str:
    nodes = [str(node["html"])[:160] for node in violation["nodes"][:3]]
    return f"{violation['id']}: {violation['help']}: {nodes}"


def _count_bytes(page: Page) -> list[int]:
    sent: list[int] = []
    protocol = page.context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    return sent


def _is_expected(fault: str, shown: SitePage) -> bool:
    if shown.name == "not-found" and "404" in fault:
        return True
    # Chromium would like a name of a user beside each password; an API key has none.
    return "Password forms should have" in fault

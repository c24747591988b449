from collections.abc import Iterator

import httpx
import pytest

from core.database import Database
from core.settings import Settings
from core.values.prediction import ESTIMATE_NOTICE
from dicom_node.storage.bytes import Storage
from tests.fixtures.http_server import http_server
from tests.fixtures.signing_in import token_on

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

_CHINESE_NOTICE = "由結構推估，並非實際測得。"


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    with (
        http_server(settings, database, Storage(settings.storage)) as url,
        httpx.Client(base_url=url, headers={"Accept": "text/html"}, timeout=60) as opened,
    ):
        yield opened


def _choose(
    client: httpx.Client, headers: dict[str, str] | None = None, **choice: str
) -> httpx.Response:
    """Send the form of a page."""
    data = {**choice, "csrf_token": token_on(client, "/devices")}
    return client.post("/preferences", data=data, headers=headers)


def test_page_comes_in_the_language_the_browser_asks_for(client: httpx.Client) -> None:
    chinese = client.get("/", headers={"Accept-Language": "zh-TW,zh;q=0.9,en;q=0.8"}).text
    english = client.get("/").text

    assert '<html lang="zh-Hant" data-theme="auto">' in chinese
    assert _CHINESE_NOTICE in chinese
    assert '<html lang="en" data-theme="auto">' in english
    assert ESTIMATE_NOTICE in english


def test_choice_is_kept_and_the_page_comes_again(client: httpx.Client) -> None:
    referer = {"Referer": f"{client.base_url}/devices?x=1"}

    answers = [
        _choose(client, **choice, headers=referer)
        for choice in ({"language": "zh_Hant"}, {"theme": "dark"})
    ]

    assert [answer.headers["location"] for answer in answers] == ["/devices?x=1", "/devices?x=1"]
    assert '<html lang="zh-Hant" data-theme="dark">' in client.get("/devices").text


def test_chosen_language_goes_before_the_browsers(client: httpx.Client) -> None:
    _choose(client, language="en")

    assert 'lang="en"' in client.get("/", headers={"Accept-Language": "zh-TW"}).text


@pytest.mark.parametrize(
    "referer",
    [
        "https://elsewhere.example/",
        "",
        "http://[",
        "HOST//elsewhere.example/",
        "HOST/\\elsewhere",
        "HOST",
    ],
)
def test_choosing_leads_to_no_other_site(client: httpx.Client, referer: str) -> None:
    own = str(client.base_url).rstrip("/")

    answer = _choose(client, theme="dark", headers={"Referer": referer.replace("HOST", own)})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_form_of_another_site_changes_nothing(client: httpx.Client) -> None:
    elsewhere = {"Origin": "https://elsewhere.example"}

    answers = [
        _choose(client, theme="dark", headers=elsewhere),
        client.post("/preferences", data={"theme": "dark"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "theme" not in client.cookies


@pytest.mark.parametrize("choice", [{"language": "xx"}, {"language": "../en"}, {}])
def test_language_that_is_not_there_is_not_kept(
    client: httpx.Client, choice: dict[str, str]
) -> None:
    answer = _choose(client, **choice)

    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers


def test_cookie_of_a_choice_that_is_not_there_counts_for_nothing(client: httpx.Client) -> None:
    page = client.get("/", headers={"Cookie": "language=../../etc; theme=pink"}).text

    assert '<html lang="en" data-theme="auto">' in page


def test_page_that_is_not_there_says_so_in_the_readers_language(client: httpx.Client) -> None:
    page = client.get("/nothing", headers={"Accept-Language": "zh-TW"})

    assert (page.status_code, "查無資料" in page.text) == (404, True)

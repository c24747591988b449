"""The manual as a site: built strictly, opened as files, with nothing fetched from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.browser

_PATIENCE_MS = 90_000
#: Scripts, styles, fonts and pictures; links that a reader follows are not fetched.
_FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does; a broken link or a page outside the navigation fails."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[tuple[Page, list[str]]]:
    """The first page of the manual, opened as a file, and what was asked of other machines."""
    opened = browser.new_page()
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:", "about:")):
            elsewhere.append(request.url)

    opened.on("request", note)
    opened.goto((site / "index.html").as_uri())
    yield opened, elsewhere
    opened.close()


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))

    fetching = [path.name for path in pages if _FETCHED.search(path.read_text("utf-8"))]

    assert len(pages) > 40
    assert fetching == []


def test_search_finds_a_page_without_a_server(page: tuple[Page, list[str]]) -> None:
    opened, elsewhere = page

    opened.locator(".md-search__input").fill("laterality")
    first = opened.locator(".md-search-result__link").first
    expect(first).to_be_visible(timeout=_PATIENCE_MS)
    first.click()

    expect(opened.locator("article")).to_contain_text(
        re.compile("laterality", re.IGNORECASE), timeout=_PATIENCE_MS
    )
    assert elsewhere == []


@pytest.mark.parametrize(
    ("reader", "title"),
    [
        ("For the clinic", "For the clinic"),
        ("For the PACS administrator", "For the PACS administrator"),
        ("For the viewer developer", "For the viewer developer"),
        ("For the researcher", "For the researcher"),
        ("Extending", "Extending"),
        ("Reference", "Settings"),
    ],
)
def test_each_reader_has_a_way_in(page: tuple[Page, list[str]], reader: str, title: str) -> None:
    opened, _ = page

    opened.get_by_role("link", name=reader, exact=True).first.click()

    expect(opened.locator("article h1")).to_contain_text(title, timeout=_PATIENCE_MS)

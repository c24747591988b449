from collections.abc import Callable, Iterator
from io import BytesIO
from shutil import which

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from core.database import Database
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from tests.browser.clinic import PREVIEW
from tests.fixtures.http_server import http_server

#: The usual five seconds are short beside two more files of tests.
PATIENCE_SECONDS = 60

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(need: Callable[[str], None]) -> Iterator[Browser]:
    need("chromium")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=which("chromium"), args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def faults() -> list[str]:
    """What the browser complained of: blocked by the policy, broken scripts, failed requests."""
    return []


@pytest.fixture
def page(
    browser: Browser, settings: Settings, database: Database, faults: list[str]
) -> Iterator[Page]:
    storage = Storage(settings.storage)
    picture = BytesIO()
    Image.fromarray(np.full((496, 768), 90, np.uint8)).save(picture, "PNG")
    storage.put(PREVIEW, picture.getvalue())
    locked = settings.model_copy(update={"auth": "keys"})
    with http_server(locked, database, storage) as url:
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        opened = context.new_page()
        opened.on("console", lambda message: _note(faults, message))
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("requestfailed", lambda request: _note_failure(faults, request))
        yield opened
        context.close()


def _note(faults: list[str], message: ConsoleMessage) -> None:
    # Whoever types on takes back what was asked for the letters before.
    is_taken_back = message.text.startswith(("htmx:sendAbort,", "htmx:afterRequest,"))
    if message.type in {"error", "warning"} and not is_taken_back:
        faults.append(message.text)


def _note_failure(faults: list[str], request: Request) -> None:
    # A page that is left ends its stream of events.
    is_taken_back = request.url.endswith(("/v1/events", "/live"))
    if not (is_taken_back and "ABORTED" in str(request.failure)):
        faults.append(request.url)

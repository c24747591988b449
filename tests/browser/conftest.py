from collections.abc import Callable, Iterator
from shutil import which

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

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

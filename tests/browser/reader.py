"""A person in front of a browser, who has chosen a language and a look."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from playwright.sync_api import Browser, Page

from tests.fixtures.signing_in import sign_in


@dataclass(frozen=True)
class Choice:
    """What a reader chose: language, theme, and the width of their screen in CSS pixels."""

    language: str = "en"
    theme: str = "light"
    width: int = 1280

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"


@contextmanager
def reader(browser: Browser, url: str, session: str | None, choice: Choice) -> Generator[Page]:
    """Open a browser; `session` is the value of the cookie of someone signed in."""
    context = browser.new_context(
        base_url=url, viewport={"width": choice.width, "height": 900 if choice.width > 600 else 800}
    )
    cookies = {"language": choice.language, "theme": choice.theme}
    if session is not None:
        cookies["arcuate_session"] = session
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": url}])
    try:
        yield context.new_page()
    finally:
        context.close()


def session_of(url: str, key: str) -> str:
    """Sign in by a key, as a browser does; return the value of the session's cookie."""
    with httpx.Client(timeout=60, base_url=url) as client:
        return sign_in(client, key=key).cookies["arcuate_session"]

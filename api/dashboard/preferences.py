"""What a reader chose for their browser: the language and the look of the pages."""

from contextvars import ContextVar
from enum import StrEnum
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dashboard.languages import LANGUAGES, Language, best_language
from api.dashboard.translation import speak

LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"


class Theme(StrEnum):
    """How pages look."""

    #: As the reader's system is set.
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


_THEMES: Final = {theme.value: theme for theme in Theme}
_THEME: ContextVar[Theme] = ContextVar("theme", default=Theme.AUTO)


def current_theme() -> Theme:
    """Return the look the reader of the request under way chose."""
    return _THEME.get()


class Preferences:
    """Lets the application it wraps answer each request in its reader's language and look."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, knowing who reads the answer."""
        if scope["type"] == "http":
            connection = HTTPConnection(scope)
            speak(_language_of(connection))
            _THEME.set(_theme_of(connection))
        await self._app(scope, receive, send)


def _language_of(connection: HTTPConnection) -> Language:
    chosen = LANGUAGES.get(connection.cookies.get(LANGUAGE_COOKIE, ""))
    return chosen or best_language(connection.headers.get("accept-language", ""))


def _theme_of(connection: HTTPConnection) -> Theme:
    return _THEMES.get(connection.cookies.get(THEME_COOKIE, ""), Theme.AUTO)

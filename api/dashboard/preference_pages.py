"""Choosing the language and the look of the pages, signed in or not."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse

from api.dashboard.languages import LANGUAGES
from api.dashboard.preferences import LANGUAGE_COOKIE, THEME_COOKIE, Theme
from api.form_tokens import check_own_page

ROUTER: Final = APIRouter(include_in_schema=False)

_YEAR_SECONDS: Final = 365 * 24 * 3600


@ROUTER.post("/preferences", dependencies=[Depends(check_own_page)])
def choose(
    request: Request,
    language: Annotated[str, Form(max_length=32)] = "",
    theme: Annotated[Theme | None, Form()] = None,
) -> RedirectResponse:
    """Keep the choice in this browser, and show the page it was made on again."""
    response = RedirectResponse(_page_before(request), 303)
    if language in LANGUAGES:
        _keep(request, response, LANGUAGE_COOKIE, language)
    if theme is not None:
        _keep(request, response, THEME_COOKIE, theme)
    return response


def _keep(request: Request, response: RedirectResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=_YEAR_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _page_before(request: Request) -> str:
    # Only a page of our own: a link must not lead a reader through us to somewhere else.
    _, _, address = request.headers.get("referer", "").partition("://")
    host, _, path = address.partition("/")
    is_own = host == request.headers.get("host") and not path.startswith(("/", "\\"))
    return f"/{path}" if is_own else "/"

"""A token in every form, so that no page of another site can send one in a browser's name.

It is made from the cookie of the session, or before anyone is signed in from one of its own, and
so nothing of it is kept. Pages need do nothing: the templates put it into each form that posts.
"""

import hashlib
import hmac
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.cookies import FORM, SESSION, read_cookie, set_cookie
from api.cors import CORS_PATHS
from api.dependencies import node_of
from api.errors import FormRefused, OriginRefused
from core.keys import new_secret
from core.web_settings import ANY_ORIGIN

#: What a form calls it, and what a script sends instead.
FIELD: Final = "csrf_token"
HEADER: Final = "X-CSRF-Token"
#: A page that stays open for longer is loaded again; with the session's cookie it lasts as that.
_LIFE_SECONDS: Final = 12 * 3600
_URL_ENCODED: Final = "application/x-www-form-urlencoded"
_OWN_SITES: Final = {"same-origin", "none"}


@dataclass
class _Secret:
    """What the tokens of one request are made from, and whether the browser must be told it."""

    value: str
    is_new: bool
    is_used: bool = False


_SECRET: Final[ContextVar[_Secret | None]] = ContextVar("form_secret", default=None)


def form_token() -> str:
    """Return the token of the forms of the page that is being made; empty where nobody asks."""
    secret = _SECRET.get()
    if secret is None:
        return ""
    secret.is_used = True
    return _token_of(secret.value)


class FormTokens:
    """Has every request know what its forms' tokens are made from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; where its page holds a form, have the browser keep the secret."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        kept = _kept_secret(connection)
        secret = _Secret(kept or new_secret(), is_new=not kept)
        _SECRET.set(secret)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and secret.is_new and secret.is_used:
                carrier = Response()
                set_cookie(connection, carrier, FORM, secret.value, _LIFE_SECONDS)
                MutableHeaders(scope=message).append("Set-Cookie", carrier.headers["set-cookie"])
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def is_of_a_browser(headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something says that a page sent it; a browser always does."""
    return "origin" in headers or "sec-fetch-site" in headers


async def check_own_page(request: Request) -> None:
    """Refuse what a page of another site makes a browser send.

    Raises
    ------
    OriginRefused
        If the browser says so.
    FormRefused
        If there is no token, or another one.
    """
    check_origin(request)
    await check_token(request)


async def check_token(request: Request) -> None:
    """Refuse a form, or what a script sends, without the token of our page.

    Raises
    ------
    FormRefused
        If there is none, or another one.
    """
    kept = _kept_secret(request)
    given = request.headers.get(HEADER) or await _field_of(request)
    if not kept or not hmac.compare_digest(given.encode(), _token_of(kept).encode()):
        raise FormRefused


def check_origin(request: Request) -> None:
    """Refuse what the page of another site sends, as far as the browser says so.

    Raises
    ------
    OriginRefused
        If it is one, and not of those that may come to DICOMweb.
    """
    if is_of_invited_site(request):
        return
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise OriginRefused
    origin = request.headers.get("origin")
    public = urlsplit(node_of(request).settings.public_url).netloc
    own = {request.headers.get("host", ""), public} - {""}
    if origin is not None and urlsplit(origin).netloc not in own:
        raise OriginRefused


def is_of_invited_site(request: Request) -> bool:
    """Whether a request is of a page that `cors_origins` lets come to DICOMweb."""
    invited = node_of(request).settings.allowed_origins
    origin = request.headers.get("origin", "")
    is_there = request.url.path.startswith(CORS_PATHS)
    return is_there and bool(origin) and (ANY_ORIGIN in invited or origin in invited)


async def _field_of(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(_URL_ENCODED):
        return ""
    value = (await request.form()).get(FIELD, "")
    return value if isinstance(value, str) else ""


def _kept_secret(connection: HTTPConnection) -> str:
    return read_cookie(connection, SESSION) or read_cookie(connection, FORM)


def _token_of(secret: str) -> str:
    # Of the secret itself nothing may stand in a page.
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()

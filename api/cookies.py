"""The cookies of the pages: what they are called, and what a browser may do with them."""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.dependencies import node_of
from core.settings import Settings

#: Who is signed in.
SESSION: Final = "arcuate_session"
#: What the tokens of forms are made from before anyone is.
FORM: Final = "arcuate_form"
#: Who was sent to the OpenID provider.
PROVIDER: Final = "arcuate_provider"

#: A browser takes a cookie of this name only from this host, over TLS (RFC 6265bis, 4.1.3.2).
_HOST_PREFIX: Final = "__Host-"


def is_secure(scheme: str, settings: Settings) -> bool:
    """Whether the browser reaches us over TLS: our own, or that of a proxy before us."""
    return scheme == "https" or settings.public_url.startswith("https://")


def cookie_name(name: str, secure: bool) -> str:
    """Return what a cookie is called: over TLS, so that no other host can set it."""
    return _HOST_PREFIX + name if secure else name


def read_cookie(request: HTTPConnection, name: str) -> str:
    """Return what a cookie holds; empty where there is none."""
    return request.cookies.get(cookie_name(name, _is_secure(request)), "")


def set_cookie(
    request: HTTPConnection, response: Response, name: str, value: str, seconds: float
) -> None:
    """Have the browser keep a cookie for so long, which scripts cannot read."""
    secure = _is_secure(request)
    response.set_cookie(
        cookie_name(name, secure),
        value,
        max_age=int(seconds),
        httponly=True,
        # Not strict: one who comes back from the OpenID provider would not be known.
        samesite="lax",
        secure=secure,
    )


def delete_cookie(request: HTTPConnection, response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    secure = _is_secure(request)
    response.delete_cookie(cookie_name(name, secure), httponly=True, samesite="lax", secure=secure)


def _is_secure(request: HTTPConnection) -> bool:
    return is_secure(request.url.scheme, node_of(request).settings)

"""Headers on every answer: nothing is framed, sniffed or fetched from elsewhere.

Nothing is cached, either, but where a route says how.
"""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.cookies import is_secure
from api.problems import refusal
from core.settings import Settings

#: No inline script or style, nothing from another origin.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with that a browser hides from us, too, that a form is our own.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Nothing that a page could ask a browser for beside showing it.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), "
    "payment=(), publickey-credentials-get=(), serial=(), usb=()",
}
#: Over TLS: never without it again, for a year (RFC 6797).
STRICT_TRANSPORT: Final = "max-age=31536000"
#: All headers of a request together; an access token may take half of it.
LARGEST_HEADERS_BYTES: Final = 32 * 1024
STATIC_PATH: Final = "/static"


class SecurityHeaders:
    """Adds the headers to every answer of the application it wraps."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Everything but the style sheet and the script may tell of a patient.
        is_static = scope["path"].startswith(STATIC_PATH + "/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache" if is_static else "no-store")
                if is_secure(scope["scheme"], self._settings):
                    headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
            await send(message)

        size = sum(len(name) + len(value) for name, value in scope["headers"])
        app = self._app if size <= LARGEST_HEADERS_BYTES else _refuse_headers(scope["path"])
        await app(scope, receive, send_with_headers)


def _refuse_headers(path: str) -> ASGIApp:
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    detail = f"The headers may be {LARGEST_HEADERS_BYTES} bytes together"
    return refusal(path, status, "headers-too-large", detail, {"Connection": "close"})

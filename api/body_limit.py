"""A limit on what a request may bring: only forms are posted here, and a form is small."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem_response

LARGEST_BODY_BYTES: Final = 64 * 1024


class BodyLimit:
    """Refuses a larger body before reading it; the server holds a body to its announced length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        status = _refusal(scope)
        if status is None:
            await self._app(scope, receive, send)
            return
        detail = f"A body needs a Content-Length of at most {LARGEST_BODY_BYTES} bytes"
        refusal = problem_response(status, "body-refused", detail, {"Connection": "close"})
        await refusal(scope, receive, send)


def _refusal(scope: Scope) -> HTTPStatus | None:
    if scope["type"] != "http":
        return None
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return HTTPStatus.LENGTH_REQUIRED
    length = headers.get("content-length", "0")
    fits = length.isascii() and length.isdigit() and int(length) <= LARGEST_BODY_BYTES
    return None if fits else HTTPStatus.REQUEST_ENTITY_TOO_LARGE

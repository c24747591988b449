"""Cross-origin requests to DICOMweb, for the origins the settings name (Fetch standard, 3.2).

Credentials of the browser are never asked for: a page of another origin shows its own key in a
header.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web_settings import ANY_ORIGIN

CORS_PATHS: Final = "/dicom-web/"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "accept, content-type, authorization, x-api-key, if-none-match,"
    " range",
    "Access-Control-Max-Age": "600",
}
_READABLE: Final = "ETag, Content-Range, Content-Location, Warning"


class CrossOrigin:
    """Answers preflights, and lets the pages of some origins read the answers."""

    def __init__(self, app: ASGIApp, origins: AbstractSet[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and say in its answer who may read it."""
        if scope["type"] != "http" or not scope["path"].startswith(CORS_PATHS) or not self._origins:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        allowed = self._allowed(headers.get("origin", ""))
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._answer_preflight(allowed)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered.add_vary_header("Origin")
                if allowed:
                    answered["Access-Control-Allow-Origin"] = allowed
                    answered["Access-Control-Expose-Headers"] = _READABLE
                    answered["Cross-Origin-Resource-Policy"] = "cross-origin"
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _allowed(self, origin: str) -> str:
        if ANY_ORIGIN in self._origins:
            return ANY_ORIGIN
        return origin if origin in self._origins else ""

    @staticmethod
    def _answer_preflight(allowed: str) -> Response:
        headers = {"Vary": "Origin"}
        if allowed:
            headers |= {"Access-Control-Allow-Origin": allowed, **_PREFLIGHT}
        return Response(status_code=204, headers=headers)

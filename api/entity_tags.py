"""Entity tags: whoever has an answer already is told so in a few bytes (RFC 9110 13.1.2)."""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

_TAG_DIGITS: Final = 32
_NOT_MODIFIED: Final = 304

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class TaggedRoute(APIRoute):
    """A route whose answers to GET carry an ETag, and which answers `If-None-Match`.

    The tag is of the answer itself: nothing that an answer tells can change without it. Streams
    have none.
    """

    def get_route_handler(self) -> Handler:
        """Return the handler with the tag put on."""
        handler = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            response = await handler(request)
            return _tagged(request, response) if request.method == "GET" else response

        return tagged


def _tagged(request: Request, response: Response) -> Response:
    body = getattr(response, "body", None)
    if response.status_code != 200 or not isinstance(body, bytes):
        return response
    tag = f'"{sha256(body).hexdigest()[:_TAG_DIGITS]}"'
    if _is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=_NOT_MODIFIED, headers={"ETag": tag, "Vary": "Accept"})
    response.headers["ETag"] = tag
    response.headers["Vary"] = "Accept"
    return response


def _is_known(header: str, tag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in header.split(",")]
    return tag in tags or "*" in tags

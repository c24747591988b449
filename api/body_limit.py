"""A limit on what a request may bring: forms are small, tensors and stored objects are large."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem_response
from api.request_body import RequestBody

LARGEST_BODY_BYTES: Final = 64 * 1024
#: A thousand profiles written out as text, or five thousand as they are.
LARGEST_TENSORS_BYTES: Final = 16 << 20


class BodyLimit:
    """Refuses a larger body before reading it; the server holds a body to its announced length.

    Parameters
    ----------
    store_path
        Where objects are stored: there, and below, a body may be large and come without a length.
        It is counted then, and reading on raises BodyTooLarge.
    largest_store_bytes
        What one such body may hold.
    tensor_paths
        Where tensors are sent: there, and below, a body may hold LARGEST_TENSORS_BYTES.
    """

    def __init__(
        self,
        app: ASGIApp,
        store_path: str,
        largest_store_bytes: int,
        tensor_paths: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._store_path = store_path
        self._largest_store_bytes = largest_store_bytes
        self._tensor_paths = tuple(tensor_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_store = self._is_store(scope)
        limit = self._largest_store_bytes if is_store else self._limit(scope)
        headers = Headers(scope=scope)
        status = _refusal(headers, limit, may_be_endless=is_store)
        if status is None:
            body = RequestBody(receive, limit)
            # A client that asks before it sends must not be made to send what is refused.
            reads_out = is_store and "expect" not in headers
            await self._app(scope, body.receive, body.read_out_before(send) if reads_out else send)
            return
        detail = f"A body needs a Content-Length of at most {limit} bytes"
        refusal = problem_response(status, "body-refused", detail, {"Connection": "close"})
        await refusal(scope, receive, send)

    def _is_store(self, scope: Scope) -> bool:
        return _is_below(scope, self._store_path) and bool(scope["method"] == "POST")

    def _limit(self, scope: Scope) -> int:
        takes_tensors = any(_is_below(scope, path) for path in self._tensor_paths)
        return LARGEST_TENSORS_BYTES if takes_tensors else LARGEST_BODY_BYTES


def _is_below(scope: Scope, path: str) -> bool:
    asked: str = scope["path"]
    return asked == path or asked.startswith(path + "/")


def _refusal(headers: Headers, limit: int, *, may_be_endless: bool) -> HTTPStatus | None:
    if "transfer-encoding" in headers:
        return None if may_be_endless else HTTPStatus.LENGTH_REQUIRED
    length = headers.get("content-length", "0")
    fits = length.isascii() and length.isdigit() and int(length) <= limit
    return None if fits else HTTPStatus.REQUEST_ENTITY_TOO_LARGE

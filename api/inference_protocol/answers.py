"""How the protocol tells errors: `{"error": …}`, whatever went wrong in a route."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.problem_statuses import status_of
from api.problems import headers_of
from core.errors import NodeError
from core.logs import get_logger

_DESCRIPTIONS: Final = {
    400: "The request, its tensors or the eyes they hold are none that the model takes",
    401: "No valid key",
    403: "The role of the caller does not allow it",
    404: "There is no model of that name and version",
    413: "The body is too large",
    422: "A parameter is unknown or out of range",
    429: "Too many requests; `Retry-After` says when to come back",
    500: "Scoring stopped",
    503: "No process that scores answered, or too many wait; try again",
}

_log = get_logger(__name__)
_Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class Fault(BaseModel):
    """An error as the protocol writes it."""

    error: str = Field(examples=["There is no model of that name and version"])


class ProtocolRoute(APIRoute):
    """A route whose errors leave as the protocol writes them."""

    def get_route_handler(self) -> _Answer:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await answer(request)
            except NodeError as error:
                return _fault(error)
            except RequestValidationError:
                return JSONResponse({"error": "Check the address"}, 422)
            except HTTPException as error:
                return JSONResponse({"error": error.detail}, error.status_code, error.headers)

        return told


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of a route's errors, with those that can always happen."""
    return {
        status: {"description": _DESCRIPTIONS[status], "model": Fault}
        for status in sorted({401, 403, 422, 429, 503, *statuses})
    }


def _fault(error: NodeError) -> JSONResponse:
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request_failed", error=type(error).__name__, status=status.value)
    return JSONResponse({"error": str(error)}, status, headers_of(error))

"""Errors as that API tells them: `trace`, `errors` with code and message, `status_code`."""

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi.responses import JSONResponse

from core.logs import get_logger

#: Where clients of that API ask.
PATHS: Final = (
    "/ml/",
    "/icp4d-api/",
    "/idprovider/",
    "/v1/preauth/",
    "/v2/spaces",
    "/v2/hardware_specifications",
    "/v2/assets",
)
#: It knows no 422: what cannot be understood is a bad request, however it is wrong.
_STATUSES: Final = {HTTPStatus.UNPROCESSABLE_ENTITY: HTTPStatus.BAD_REQUEST}
#: Its clients know a full queue by this.
_FULL: Final = frozenset({"too-many-questions", "too-many-jobs"})
_LOG = get_logger(__name__)


def is_asked_at(path: str) -> bool:
    """Whether a path is one of that API."""
    return path.startswith(PATHS)


def error_response(
    status: HTTPStatus, kind: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error.

    Parameters
    ----------
    kind
        Our name of it, in words with hyphens; its code there has underscores.
    """
    is_full = kind in _FULL
    told = HTTPStatus.TOO_MANY_REQUESTS if is_full else _STATUSES.get(status, status)
    trace, code = uuid.uuid4().hex, kind.replace("-", "_")
    # Whoever reports an error quotes its trace.
    _LOG.info("scoring_api_refused", trace=trace, code=code, status=told.value)
    errors = [{"code": code, "message": message}]
    content = {"trace": trace, "errors": errors, "status_code": told.value}
    return JSONResponse(content, told, headers)

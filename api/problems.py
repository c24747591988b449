"""Errors over HTTP: one map from error to status, and `application/problem+json` (RFC 9457)."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.dashboard.templating import render
from api.errors import (
    AmbiguousPatient,
    BodyMalformed,
    BodyStalled,
    BodyTooLarge,
    CursorInvalid,
    FrameNotFound,
    HostRefused,
    LoginRefused,
    MediaTypeUnsupported,
    NotAcceptable,
    NotReady,
    NotSignedIn,
    OriginRefused,
    ParameterInvalid,
    PositionUnknown,
    RangeNotSatisfiable,
    RoleMissing,
    TooManyStreams,
)
from core.deliveries.retrying import DeliveryNotGivenUp, DeliveryUnderWay
from core.deliveries.rules import RuleInvalid
from core.errors import InfrastructureError, NodeError, RecordNotFound, SettingsInvalid
from core.keys import KeyNameTaken
from core.logs import get_logger
from core.reviews import NotReviewable
from core.webhooks import WebhookInvalid, WebhookNameTaken
from dicom_node.errors import (
    BytesRemoved,
    ObjectTooLarge,
    PixelsUnreadable,
    StorageFull,
)

MEDIA_TYPE: Final = "application/problem+json"

#: The first class an error is an instance of gives its status; what no class names is a 500.
STATUSES: Final[tuple[tuple[type[NodeError], HTTPStatus], ...]] = (
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (LoginRefused, HTTPStatus.UNAUTHORIZED),
    (HostRefused, HTTPStatus.MISDIRECTED_REQUEST),
    (OriginRefused, HTTPStatus.FORBIDDEN),
    (RoleMissing, HTTPStatus.FORBIDDEN),
    (CursorInvalid, HTTPStatus.BAD_REQUEST),
    (ParameterInvalid, HTTPStatus.BAD_REQUEST),
    (WebhookInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (BodyMalformed, HTTPStatus.BAD_REQUEST),
    (RangeNotSatisfiable, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    (NotAcceptable, HTTPStatus.NOT_ACCEPTABLE),
    (PixelsUnreadable, HTTPStatus.NOT_ACCEPTABLE),
    (BodyStalled, HTTPStatus.REQUEST_TIMEOUT),
    (BodyTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ObjectTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (MediaTypeUnsupported, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (AmbiguousPatient, HTTPStatus.CONFLICT),
    (PositionUnknown, HTTPStatus.CONFLICT),
    (KeyNameTaken, HTTPStatus.CONFLICT),
    (DeliveryUnderWay, HTTPStatus.CONFLICT),
    (DeliveryNotGivenUp, HTTPStatus.CONFLICT),
    (RuleInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotReviewable, HTTPStatus.CONFLICT),
    (WebhookNameTaken, HTTPStatus.CONFLICT),
    (BytesRemoved, HTTPStatus.GONE),
    (RecordNotFound, HTTPStatus.NOT_FOUND),
    (NotReady, HTTPStatus.SERVICE_UNAVAILABLE),
    (TooManyStreams, HTTPStatus.SERVICE_UNAVAILABLE),
    (StorageFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (InfrastructureError, HTTPStatus.SERVICE_UNAVAILABLE),
    (SettingsInvalid, HTTPStatus.INTERNAL_SERVER_ERROR),
)
#: Whatever a browser accepts, these answer programs.
_API_PATHS: Final = ("/v1/", "/dicom-web/", "/health/", "/openapi.json")
#: How our parameters are written, and misspelt.
_PLAIN_NAME: Final = re.compile(r"[a-z_]{1,32}")
_RETRY_AFTER_SECONDS: Final = "5"

_LOG = get_logger(__name__)


def status_of(error: NodeError) -> HTTPStatus:
    """Return the HTTP status that tells this error."""
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_response(
    status: HTTPStatus, kind: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return a problem document; `kind` is the last part of its type URN."""
    content = {
        "type": f"urn:arcuate:problem:{kind}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        **more,
    }
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def answer_node_error(request: Request, error: Exception) -> Response:
    """Tell one of our own errors."""
    assert isinstance(error, NodeError)  # noqa: S101 - registered for this class only
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("request_failed", error=type(error).__name__, status=status.value)
    if _is_for_a_person(request):
        sign_in = isinstance(error, NotSignedIn)
        return RedirectResponse("/login", 303) if sign_in else _error_page(status, str(error))
    return problem_response(
        status, kind_of(error), str(error), headers_of(status), **_members_of(error)
    )


def answer_http_exception(request: Request, error: Exception) -> Response:
    """Tell what the framework refuses: an unknown path, a method that is not offered."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    status = HTTPStatus(error.status_code)
    if _is_for_a_person(request):
        return _error_page(status, str(error.detail))
    headers = dict(error.headers) if error.headers else None
    return problem_response(status, _kebab(status.name), error.detail, headers)


def answer_invalid_request(request: Request, error: Exception) -> Response:
    """Tell which parameters are wrong, without repeating what was in them."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    errors = [{"parameter": _parameter_of(item), "message": item["msg"]} for item in error.errors()]
    names = ", ".join(item["parameter"] for item in errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if _is_for_a_person(request):
        return _error_page(status, f"Check: {names}")
    return problem_response(status, "invalid-parameter", f"Check: {names}", errors=errors)


def _parameter_of(fault: Mapping[str, Any]) -> str:
    name = str(fault["loc"][-1])
    # A parameter we do not know may be called anything, a patient's ID for one.
    return name if fault["type"] != "extra_forbidden" or _PLAIN_NAME.fullmatch(name) else "unknown"


def answer_unexpected(_request: Request, error: Exception) -> Response:
    """Tell that something broke, and nothing of what: the message might name a patient."""
    _LOG.error("request_broke", error=type(error).__name__)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem_response(status, "internal", "The node could not answer; its log says more")


def install_problems(app: FastAPI) -> None:
    """Let every error leave the application as a problem document."""
    app.add_exception_handler(NodeError, answer_node_error)
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_exception_handler(RequestValidationError, answer_invalid_request)
    app.add_exception_handler(Exception, answer_unexpected)


#: Errors that are always one parameter's.
_PARAMETER_OF: Final[dict[type[NodeError], str]] = {
    CursorInvalid: "cursor",
    FrameNotFound: "frames",
}


def kind_of(error: NodeError) -> str:
    """Return the last part of the problem's type, from the name of the error's class."""
    return _kebab(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__))


def headers_of(status: HTTPStatus) -> dict[str, str] | None:
    """Return the headers a status needs beside it."""
    if status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": _RETRY_AFTER_SECONDS}
    return None


def _members_of(error: NodeError) -> dict[str, Any]:
    match error:
        case AmbiguousPatient():
            return {"issuers": error.issuers}
        case NotReady():
            return {"checks": error.checks}
        case ParameterInvalid():
            return _fault_of(error.parameter, error.message)
        case RuleInvalid() | WebhookInvalid():
            return _fault_of(error.parameter, str(error))
        case CursorInvalid() | FrameNotFound():
            return _fault_of(_PARAMETER_OF[type(error)], str(error))
    return {}


def _fault_of(parameter: str, message: str) -> dict[str, Any]:
    return {"errors": [{"parameter": parameter, "message": message}]}


def _is_for_a_person(request: Request) -> bool:
    is_api = request.url.path.startswith(_API_PATHS)
    return not is_api and "text/html" in request.headers.get("accept", "")


def _error_page(status: HTTPStatus, detail: str) -> Response:
    return render("error.html", status, title=status.phrase, detail=detail)


def _kebab(name: str) -> str:
    return name.lower().replace("_", "-")

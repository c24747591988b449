"""Errors over HTTP: one map from error to status, and `application/problem+json` (RFC 9457)."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from api.dashboard.refusal_words import fields_to_check, refusal_words
from api.dashboard.templating import render
from api.errors import (
    AskedTooOften,
    CursorInvalid,
    FrameNotFound,
    NotReady,
    NotSignedIn,
    ParameterInvalid,
    RoleMissing,
    TokenRefused,
)
from api.ibm import error_shape
from api.problem_statuses import status_of
from core.deliveries.rules import RuleInvalid
from core.errors import NodeError
from core.identities.errors import IdentityConflict
from core.logs import get_logger
from core.patients import AmbiguousPatient
from core.webhooks import WebhookInvalid

MEDIA_TYPE: Final = "application/problem+json"

#: Whatever a browser accepts, these answer programs.
_API_PATHS: Final = ("/v1/", "/v2", "/dicom-web/", "/health/", "/openapi.json")
#: Here errors are told as the Open Inference Protocol does.
_PROTOCOL_PATHS: Final = ("/v2/models", "/v2/health")
#: How our parameters are written, and misspelt.
_PLAIN_NAME: Final = re.compile(r"[a-z_]{1,32}")
_RETRY_AFTER_SECONDS: Final = "5"
#: What is said of refusals of the framework, by status.
FRAMEWORK_REFUSALS: Final = {
    HTTPStatus.NOT_FOUND: (
        "Nothing is at this address. It may be mistyped, or what was there is kept no longer."
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take what was asked of it.",
}

_LOG = get_logger(__name__)


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


def refusal(
    path: str,
    status: HTTPStatus,
    kind: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Return an error in the form of the API that was asked: mostly a problem document."""
    if error_shape.is_asked_at(path):
        return error_shape.error_response(status, kind, detail, headers)
    if path.startswith(_PROTOCOL_PATHS):
        return JSONResponse({"error": detail}, status, headers)
    return problem_response(status, kind, detail, headers, **more)


def answer_node_error(request: Request, error: Exception) -> Response:
    """Tell one of our own errors."""
    assert isinstance(error, NodeError)  # noqa: S101 - registered for this class only
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("request_failed", error=type(error).__name__, status=status.value)
    headers = headers_of(error)
    if _is_for_a_person(request):
        elsewhere = _page_instead(request, error)
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 303)
        return _error_page(status, refusal_words(error), headers)
    path, members = request.url.path, _members_of(error)
    return refusal(path, status, kind_of(error), str(error), headers, **members)


def _page_instead(request: Request, error: NodeError) -> str | None:
    """Return the page a person is led to instead of being told the error."""
    if isinstance(error, NotSignedIn):
        return "/login"
    # Every other role has its scans there: this one is a researcher's, who has just signed in.
    is_first_page = request.url.path == "/"
    return "/research" if isinstance(error, RoleMissing) and is_first_page else None


def answer_http_exception(request: Request, error: Exception) -> Response:
    """Tell what the framework refuses: an unknown path, a method that is not offered."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    status = HTTPStatus(error.status_code)
    # The framework only says the name of the status once more.
    detail = (
        FRAMEWORK_REFUSALS.get(status, error.detail)
        if error.detail == status.phrase
        else error.detail
    )
    if _is_for_a_person(request):
        return _error_page(status, detail)
    headers = dict(error.headers) if error.headers else None
    return refusal(request.url.path, status, _kebab(status.name), detail, headers)


def answer_invalid_request(request: Request, error: Exception) -> Response:
    """Tell which parameters are wrong, without repeating what was in them."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    errors = [{"parameter": _parameter_of(item), "message": item["msg"]} for item in error.errors()]
    names = [item["parameter"] for item in errors]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if _is_for_a_person(request):
        return _error_page(status, fields_to_check(names))
    detail = f"Check: {', '.join(names)}"
    return refusal(request.url.path, status, "invalid-parameter", detail, errors=errors)


def _parameter_of(fault: Mapping[str, Any]) -> str:
    name = str(fault["loc"][-1])
    # A parameter we do not know may be called anything, a patient's ID for one.
    return name if fault["type"] != "extra_forbidden" or _PLAIN_NAME.fullmatch(name) else "unknown"


def answer_unexpected(request: Request, error: Exception) -> Response:
    """Tell that something broke, and nothing of what: the message might name a patient."""
    _LOG.error("request_broke", error=type(error).__name__)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    detail = "The node could not answer; its log says more"
    return refusal(request.url.path, status, "internal", detail)


def answer_unkeepable(request: Request, error: Exception) -> Response:
    """Tell that a text holds a NUL, which PostgreSQL keeps in none and no name or UID has."""
    assert isinstance(error, DataError)  # noqa: S101 - registered for this class only
    if "NUL" not in str(error.orig):
        return answer_unexpected(request, error)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    detail = "A text holds a NUL character"
    return refusal(request.url.path, status, "invalid-parameter", detail)


def install_problems(app: FastAPI) -> None:
    """Let every error leave the application as a problem document."""
    app.add_exception_handler(NodeError, answer_node_error)
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_exception_handler(RequestValidationError, answer_invalid_request)
    app.add_exception_handler(DataError, answer_unkeepable)
    app.add_exception_handler(Exception, answer_unexpected)


#: Errors that are always one parameter's.
_PARAMETER_OF: Final[dict[type[NodeError], str]] = {
    CursorInvalid: "cursor",
    FrameNotFound: "frames",
}

#: What some errors tell beside their sentence.
_MEMBER_OF: Final[dict[type[NodeError], str]] = {
    AmbiguousPatient: "issuers",
    IdentityConflict: "conflicts",
    NotReady: "checks",
}


def kind_of(error: NodeError) -> str:
    """Return the last part of the problem's type, from the name of the error's class."""
    return _kebab(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__))


def headers_of(error: NodeError) -> dict[str, str] | None:
    """Return the headers an error needs beside its status."""
    if isinstance(error, AskedTooOften):
        return {"Retry-After": str(error.seconds)}
    status = status_of(error)
    if status is HTTPStatus.UNAUTHORIZED:
        # RFC 6750, 3.1.
        invalid = ' error="invalid_token"' if isinstance(error, TokenRefused) else ""
        return {"WWW-Authenticate": f"Bearer{invalid}"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": _RETRY_AFTER_SECONDS}
    return None


def _members_of(error: NodeError) -> dict[str, Any]:
    match error:
        case AmbiguousPatient() | IdentityConflict() | NotReady():
            name = _MEMBER_OF[type(error)]
            return {name: getattr(error, name)}
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
    path = request.url.path
    is_api = path.startswith(_API_PATHS) or error_shape.is_asked_at(path)
    return not is_api and "text/html" in request.headers.get("accept", "")


def _error_page(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> Response:
    page = render("error.html", status, title=status.phrase, detail=detail)
    page.headers.update(headers or {})
    return page


def _kebab(name: str) -> str:
    return name.lower().replace("_", "-")

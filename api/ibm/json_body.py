"""The body of a request as JSON, read once the caller is known."""

import json
from math import isfinite
from typing import Any, NoReturn

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.errors import BodyMalformed


async def read_object(request: Request) -> dict[str, Any]:
    """Return the body, which must be an object.

    Raises
    ------
    BodyMalformed
        If it is none, or holds what JSON has not, as NaN, or a number too large for a double.
    BodyTooLarge
        If it is larger than such a body may be.
    """
    body = await request.body()
    # Of a large one the reading takes long, and others wait meanwhile.
    return await run_in_threadpool(_object_of, body)


def member(body: dict[str, Any], *names: str) -> str:
    """Return a text inside of objects; empty where there is none."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise BodyMalformed("The body is nested too deeply") from None
    except ValueError as error:
        raise BodyMalformed(f"The body is not JSON: {_told(error)}") from None
    if not isinstance(found, dict):
        raise BodyMalformed("The body must be a JSON object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BodyMalformed(f"The body holds {name}, which is no number of JSON")


def _finite(text: str) -> float:
    found = float(text)
    if not isfinite(found):
        # It is JSON, but could not be written as JSON again.
        raise BodyMalformed("The body holds a number that is too large")
    return found


def _told(error: ValueError) -> str:
    # Where it is wrong, and nothing of what stands there.
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} in line {error.lineno}, column {error.colno}"
    return "it is not UTF-8"

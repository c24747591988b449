"""Who may ask: whoever has an API key or a browser session, or anyone where auth is `none`."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from api.dependencies import Node, NodeParameter
from api.errors import HostRefused, NotSignedIn, RoleMissing
from api.logins import Caller, find_session
from core.audit.trail import note_actor
from core.keys import Role, find_key
from core.settings import is_loopback

SESSION_COOKIE: Final = "arcuate_session"

_BEARER = HTTPBearer(auto_error=False, description="An API key of `arcuate keys create`.")
_API_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key.")


def require_caller(
    request: Request,
    node: NodeParameter,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    api_key: Annotated[str | None, Depends(_API_KEY)],
) -> Caller:
    """Return who asks.

    Raises
    ------
    NotSignedIn
        If there is no valid key or session.
    HostRefused
        If authentication is off and the request names another host than this machine.
    """
    caller = _find_caller(request, node, bearer, api_key)
    note_actor(caller.name, caller.role, request.client.host if request.client else "")
    return caller


def _find_caller(
    request: Request,
    node: Node,
    bearer: HTTPAuthorizationCredentials | None,
    api_key: str | None,
) -> Caller:
    if node.settings.auth == "none":
        _check_host(request)
        return Caller("anyone on this machine", Role.VIEWER)
    key = bearer.credentials if bearer else api_key
    cookie = request.cookies.get(SESSION_COOKIE)
    caller = _caller_with_key(node, key) if key else _caller_with_cookie(node, cookie)
    if caller is None:
        raise NotSignedIn
    return caller


def _check_host(request: Request) -> None:
    # A page of another site can point its own name at 127.0.0.1 and read us through the browser.
    host = urlsplit("//" + request.headers.get("host", "")).hostname
    if host is None or not is_loopback(host):
        raise HostRefused


def _caller_with_key(node: Node, key: str) -> Caller | None:
    with node.database.reading() as session:
        row = find_key(session, key)
    return Caller(row.name, Role(row.role)) if row else None


def _caller_with_cookie(node: Node, cookie: str | None) -> Caller | None:
    if not cookie:
        return None
    with node.database.reading() as session:
        return find_session(session, cookie)


def note_session(request: Request, session: Session, secret: str) -> None:
    """Let the audit trail know whose session begins or ends."""
    caller = find_session(session, secret)
    if caller is not None:
        note_actor(caller.name, caller.role, request.client.host if request.client else "")


def recheck_of(
    request: Request,
    node: NodeParameter,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    api_key: Annotated[str | None, Depends(_API_KEY)],
) -> Callable[[], Caller]:
    """Return what looks again whether this caller may still ask, for answers that go on."""
    return partial(require_caller, request, node, bearer, api_key)


#: What the application puts before every router, so that no route can forget it.
REQUIRE_CALLER: Final = Depends(require_caller)


def require_role(*roles: Role) -> Callable[..., None]:
    """Return a dependency that lets only callers of these roles pass.

    Where authentication is off nobody has a name, and so nobody passes.
    """

    def check(caller: Annotated[Caller, REQUIRE_CALLER]) -> None:
        if caller.role not in roles:
            raise RoleMissing(roles)

    return check


#: A route's parameter: who asks.
CallerParameter = Annotated[Caller, REQUIRE_CALLER]

#: A route's parameter: looks again who asks.
RecheckParameter = Annotated[Callable[[], Caller], Depends(recheck_of)]

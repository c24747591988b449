"""Who may ask: whoever has an API key or a browser session, or anyone where auth is `none`."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.dependencies import Node, NodeParameter
from api.errors import HostRefused, NotSignedIn, RoleMissing
from api.logins import Caller, find_session
from core.keys import Role, find_key
from core.settings import is_loopback

SESSION_COOKIE: Final = "arcuate_session"
#: All that a researcher may ask for.
_RESEARCH_API: Final = "/v1/research/"
_RESEARCH_PAGE: Final = "/research"

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
    RoleMissing
        If a researcher asks for anything but what stands under pseudonyms.
    """
    if node.settings.auth == "none":
        _check_host(request)
        return Caller("anyone on this machine", Role.VIEWER)
    key = bearer.credentials if bearer else api_key
    cookie = request.cookies.get(SESSION_COOKIE)
    caller = _caller_with_key(node, key) if key else _caller_with_cookie(node, cookie)
    if caller is None:
        raise NotSignedIn
    _keep_apart(request, caller)
    return caller


def _keep_apart(request: Request, caller: Caller) -> None:
    # By the path, for all routes at once: none can forget that researchers see no patients.
    path = request.url.path
    is_for_research = path == _RESEARCH_PAGE or path.startswith(_RESEARCH_API)
    if caller.role is Role.RESEARCHER and not is_for_research:
        raise RoleMissing((Role.VIEWER, Role.CLINICIAN, Role.OPERATOR, Role.ADMINISTRATOR))


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

"""Who may ask: whoever shows a key, a token or a session, or anyone where auth is `none`."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.access import READERS
from api.caller import ANYONE_HERE, Caller
from api.credentials import Credentials
from api.dependencies import Node, NodeParameter
from api.door import address_of, door_of
from api.errors import HostRefused, RoleMissing
from core.audit.trail import note_actor
from core.settings import is_loopback

_BEARER = HTTPBearer(
    auto_error=False,
    description="An API key of `arcuate keys create`, or an access token of the OpenID provider.",
)
_API_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key, instead.")

BearerParameter = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
KeyParameter = Annotated[str | None, Depends(_API_KEY)]


def require_caller(
    request: Request, node: NodeParameter, bearer: BearerParameter, api_key: KeyParameter
) -> Caller:
    """Return who asks.

    Raises
    ------
    NotSignedIn
        If there is no valid key, token or session.
    AddressPaused
        If too many wrong ones came from the same address.
    HostRefused
        If authentication is off and the request names another host than this machine.
    """
    secret = bearer.credentials if bearer else api_key or ""
    caller = _caller(request, node, secret, is_use=True)
    note_actor(caller.name, " ".join(sorted(caller.roles)), address_of(request))
    return caller


def _caller(request: Request, node: Node, secret: str, is_use: bool) -> Caller:
    if node.settings.auth == "none":
        check_host(request)
        return ANYONE_HERE
    return Credentials(request, node, door_of(request), is_use).caller(secret)


def check_host(request: Request) -> None:
    """Refuse a request to a name that is not this machine's, where authentication is off.

    Raises
    ------
    HostRefused
        If it is one.
    """
    # A page of another site can point its own name at 127.0.0.1 and read us through the browser.
    host = urlsplit("//" + request.headers.get("host", "")).hostname
    if host is None or not is_loopback(host):
        raise HostRefused


def recheck_of(
    request: Request, node: NodeParameter, bearer: BearerParameter, api_key: KeyParameter
) -> Callable[[], Caller]:
    """Return what looks again whether this caller may still read, for answers that go on."""
    secret = bearer.credentials if bearer else api_key or ""
    return partial(_reader, request, node, secret)


def _reader(request: Request, node: Node, secret: str) -> Caller:
    caller = _caller(request, node, secret, is_use=False)
    if not READERS.allows(caller):
        raise RoleMissing(READERS.roles)
    return caller


#: What the application puts before every router, so that no route can forget it.
REQUIRE_CALLER: Final = Depends(require_caller)


#: A route's parameter: who asks.
CallerParameter = Annotated[Caller, REQUIRE_CALLER]

#: A route's parameter: looks again who asks.
RecheckParameter = Annotated[Callable[[], Caller], Depends(recheck_of)]

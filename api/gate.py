"""What stands before every route: the roles it takes, the token of its form, how often it is asked.

Which roles, says `api/routes.py`.
"""

from fastapi import Request

from api.access import READING, Access, Allowed
from api.caller import Caller
from api.door import door_of
from api.errors import AskedTooOften, FormRefused, OriginRefused, RoleMissing
from api.form_tokens import check_origin, check_token, is_of_a_browser, is_of_invited_site
from api.security import CallerParameter
from core.logs import get_logger

_LOG = get_logger(__name__)


class Gate:
    """A dependency that lets those pass whom a router allows.

    Parameters
    ----------
    access
        Who may read and who may change by it.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    async def __call__(self, request: Request, caller: CallerParameter) -> None:
        """Let a caller pass.

        Raises
        ------
        RoleMissing
            If they have none of the roles.
        OriginRefused, FormRefused
            If a browser asks, and the page that made it is not ours.
        AskedTooOften
            If they asked too often.
        """
        _check_rate(request, caller)
        # The path as it was declared: the real one names patients.
        path = request.scope["route"].path
        allowed = self._access.allowed(request.method, path)
        try:
            _check_role(allowed, caller)
            if request.method not in READING:
                await _check_page(request, caller)
        except (RoleMissing, OriginRefused, FormRefused) as error:
            cause = type(error).__name__
            _LOG.warning(
                "request_refused", cause=cause, method=request.method, path=path, who=caller.subject
            )
            raise


def _check_role(allowed: Allowed, caller: Caller) -> None:
    if not allowed.allows(caller):
        raise RoleMissing(allowed.roles)


def _check_rate(request: Request, caller: Caller) -> None:
    if caller.is_unnamed:
        return
    seconds = door_of(request).requests.take(caller.subject or caller.name)
    if seconds:
        raise AskedTooOften(seconds)


async def _check_page(request: Request, caller: Caller) -> None:
    check_origin(request)
    # No other site can make a browser show a key. Where authentication is off, programs on this
    # machine show nothing at all; a browser always says who made it ask.
    is_local_page = is_of_a_browser(request.headers) and not is_of_invited_site(request)
    if caller.has_session or (caller.is_unnamed and is_local_page):
        await check_token(request)

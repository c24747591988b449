"""What stands before every route: the roles it takes, the token of its form, how often it is asked.

Which roles, says `api/routes.py`.
"""

from fastapi import Request

from api.access import READING, Access
from api.caller import Caller, Proof
from api.door import door_of
from api.errors import AskedTooOften, FormRefused, OriginRefused, RoleMissing
from api.form_tokens import check_own_page, is_of_a_browser
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
            if not allowed.allows(caller):
                raise RoleMissing(allowed.roles)
            if request.method not in READING and _needs_own_page(request, caller):
                await check_own_page(request)
        except (RoleMissing, OriginRefused, FormRefused) as error:
            cause = type(error).__name__
            _LOG.warning(
                "request_refused", cause=cause, method=request.method, path=path, who=caller.subject
            )
            raise


def _check_rate(request: Request, caller: Caller) -> None:
    if caller.is_unnamed:
        return
    seconds = door_of(request).requests.take(caller.subject or caller.name)
    if seconds:
        raise AskedTooOften(seconds)


def _needs_own_page(request: Request, caller: Caller) -> bool:
    # No other site can make a browser show a key. Where authentication is off, programs on this
    # machine show nothing at all; a browser always says who made it ask.
    if caller.proof is Proof.NOTHING:
        return is_of_a_browser(request.headers)
    return caller.proof is Proof.SESSION

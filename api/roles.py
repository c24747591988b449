"""Which role a route that changes something needs; reading is open to every role."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.dependencies import Node, NodeParameter
from api.errors import OriginRefused, RoleMissing
from api.logins import Caller
from api.security import CallerParameter
from core.keys import Role

_OPERATORS: Final = (Role.OPERATOR, Role.ADMINISTRATOR)


def require_operator(request: Request, node: NodeParameter, caller: CallerParameter) -> Caller:
    """Return who asks, where they may change how this node works.

    Raises
    ------
    RoleMissing
        If their role is another.
    OriginRefused
        If a page of another site makes a browser ask.
    """
    check_origin(request)
    if node.settings.auth != "none" and caller.role not in _OPERATORS:
        raise RoleMissing(_OPERATORS)
    return caller


def check_origin(request: Request) -> None:
    """Refuse what a page of another site makes a browser ask; needed where `auth` is `none`.

    Raises
    ------
    OriginRefused
        If it is one.
    """
    # A browser says from where a form comes; without a key nothing else would tell it from ours.
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise OriginRefused


#: What a router or route that changes something is given.
REQUIRE_OPERATOR: Final = Depends(require_operator)
#: What a form that any role may send is given.
REQUIRE_OWN_PAGE: Final = Depends(check_origin)
OperatorParameter = Annotated[Caller, REQUIRE_OPERATOR]


def may_operate(node: Node, caller: Caller) -> bool:
    """Whether a page shows somebody what operators do."""
    return node.settings.auth == "none" or caller.role in _OPERATORS

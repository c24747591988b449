"""What a router that changes something may be given beside its roles in `api/routes.py`."""

from typing import Annotated, Final

from fastapi import Depends

from api.access import OPERATORS
from api.caller import Caller
from api.errors import RoleMissing
from api.security import CallerParameter


def require_operator(caller: CallerParameter) -> Caller:
    """Return who asks, where they may change how this node works.

    Raises
    ------
    RoleMissing
        If their role is another.
    """
    if not OPERATORS.allows(caller):
        raise RoleMissing(OPERATORS.roles)
    return caller


REQUIRE_OPERATOR: Final = Depends(require_operator)
OperatorParameter = Annotated[Caller, REQUIRE_OPERATOR]


def may_operate(caller: Caller) -> bool:
    """Whether a page shows somebody what operators do."""
    return OPERATORS.allows(caller)

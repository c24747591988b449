"""From what the provider says of someone to who they are here: a name and roles."""

from collections.abc import Mapping
from typing import Any, Final

from api.caller import Caller, Proof
from api.errors import LoginWithoutRole
from core.access_settings import AccessSettings
from core.keys import Role

_LONGEST_NAME: Final = 64
#: What people are called by, the best first; a machine has only its client.
_NAMES: Final = ("name", "preferred_username", "email", "client_id", "sub")


def person_of(claims: Mapping[str, Any], settings: AccessSettings, proof: Proof) -> Caller:
    """Return who the claims tell of.

    Raises
    ------
    LoginWithoutRole
        If none of their groups has a role here.
    """
    roles = roles_in(claims, settings)
    if not roles:
        raise LoginWithoutRole
    return Caller(_name(claims), roles, proof, str(claims["sub"]))


def roles_in(claims: Mapping[str, Any], settings: AccessSettings) -> frozenset[Role]:
    """Return the roles that someone's groups have here; none where the claim is not there."""
    roles = settings.oidc_role_map
    return frozenset(roles[group] for group in _groups(claims, settings) if group in roles)


def has_groups(claims: Mapping[str, Any], settings: AccessSettings) -> bool:
    """Whether the claims say anything of groups."""
    return _found(claims, settings.oidc_roles_claim) is not None


def _groups(claims: Mapping[str, Any], settings: AccessSettings) -> list[str]:
    found = _found(claims, settings.oidc_roles_claim)
    if isinstance(found, str):
        # Some write a list as words, as the scope is.
        return [found, *found.split()]
    return [group for group in found if isinstance(group, str)] if isinstance(found, list) else []


def _found(claims: Mapping[str, Any], path: str) -> object:
    # A name may hold dots itself, as those that are addresses do.
    if path in claims:
        return claims[path]
    value: object = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _name(claims: Mapping[str, Any]) -> str:
    for claim in _NAMES:
        value = claims.get(claim)
        if isinstance(value, str) and value.strip():
            # One line: it stands in reports and logs.
            return " ".join("".join(c if c.isprintable() else " " for c in value).split())[
                :_LONGEST_NAME
            ]
    return str(claims["sub"])[:_LONGEST_NAME]

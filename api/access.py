"""What a role allows, in the words of the routes: who reads, who reviews, who operates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from api.caller import Caller
from core.keys import Role

#: Methods that change nothing (RFC 9110, 9.2.1).
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Allowed:
    """The roles of which a caller needs one.

    `unnamed` says whether it is also allowed where authentication is off, and whoever is on this
    machine asks: they have no name to do it under.
    """

    roles: frozenset[Role]
    unnamed: bool = True

    def allows(self, caller: Caller) -> bool:
        """Whether a caller is one of them."""
        return self.unnamed if caller.is_unnamed else not self.roles.isdisjoint(caller.roles)


@dataclass(frozen=True)
class Access:
    """Who may read and who may change by a router.

    `besides` says by method and path which of its routes allow others.
    """

    reading: Allowed
    changing: Allowed
    besides: Mapping[tuple[str, str], Allowed] = field(default_factory=dict)

    def allowed(self, method: str, path: str) -> Allowed:
        """Return whom a route allows, by the path it was declared with."""
        usual = self.reading if method in READING else self.changing
        return self.besides.get((method, path), usual)


def _allow(*roles: Role, unnamed: bool = True) -> Allowed:
    return Allowed(frozenset(roles), unnamed)


EVERYBODY: Final = _allow(*Role)
NOBODY: Final = _allow(unnamed=False)
#: Who sees patients.
READERS: Final = _allow(Role.VIEWER, Role.CLINICIAN, Role.OPERATOR, Role.ADMINISTRATOR)
#: Who reads results under pseudonyms: whoever sees patients may, too.
RESEARCHERS: Final = EVERYBODY
#: Whose decision about a result counts: somebody's, by name.
REVIEWERS: Final = _allow(Role.CLINICIAN, Role.ADMINISTRATOR, unnamed=False)
#: Who changes how the node works.
OPERATORS: Final = _allow(Role.OPERATOR, Role.ADMINISTRATOR)
#: The same, where what they see or make holds a secret.
TRUSTED_OPERATORS: Final = _allow(Role.OPERATOR, Role.ADMINISTRATOR, unnamed=False)
#: Who brings objects in.
STORERS: Final = _allow(Role.CLINICIAN, Role.OPERATOR, Role.ADMINISTRATOR)
#: Who has numbers scored that are nobody's: a node knows of no patient then.
SCORERS: Final = _allow(Role.CLINICIAN, Role.OPERATOR, Role.ADMINISTRATOR, Role.RESEARCHER)
ADMINISTRATORS: Final = _allow(Role.ADMINISTRATOR)
#: The same, where it is recorded who did it.
NAMED_ADMINISTRATORS: Final = _allow(Role.ADMINISTRATOR, unnamed=False)

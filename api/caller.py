"""Who asks."""

from dataclasses import dataclass
from enum import StrEnum

from core.keys import Role


class Proof(StrEnum):
    """By what a caller is known."""

    #: By nothing: authentication is off, and whoever is on this machine may ask.
    NOTHING = "nothing"
    KEY = "key"
    TOKEN = "token"  # noqa: S105 - what proves it, not the proof
    SESSION = "session"


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may do.

    Attributes
    ----------
    name
        What people call them: a key's name, or what the OpenID provider says.
    subject
        Who it is, whatever they are called: `key:NAME`, or the provider's `sub`; empty for nobody
        in particular.
    """

    name: str
    roles: frozenset[Role]
    proof: Proof
    subject: str = ""

    @property
    def has_session(self) -> bool:
        """Whether a browser is signed in."""
        return self.proof is Proof.SESSION

    @property
    def is_unnamed(self) -> bool:
        """Whether it is whoever is on this machine."""
        return self.proof is Proof.NOTHING

    def has_role(self, *roles: Role) -> bool:
        """Whether they have one of these roles; whoever is nobody in particular has none."""
        return not self.roles.isdisjoint(roles)


#: Whoever is on this machine, where authentication is off.
ANYONE_HERE = Caller("anyone on this machine", frozenset(), Proof.NOTHING)


def key_subject(name: str) -> str:
    """Return the subject of the holder of a key."""
    return f"key:{name}"

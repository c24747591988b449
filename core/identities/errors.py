"""What a correction of an identity is refused for. Messages hold nothing of a patient."""

from collections.abc import Sequence

from core.errors import NodeError


class IdentityConflict(NodeError):
    """The two records contradict each other.

    `conflicts` names what differs: `sex`, `birth_date`.
    """

    def __init__(self, conflicts: Sequence[str]) -> None:
        named = " and ".join(name.replace("_", " ") for name in conflicts)
        super().__init__(
            f"The two records differ in {named}: look at both, and force it only where they are "
            "one person"
        )
        self.conflicts = list(conflicts)


class CorrectionRefused(NodeError):
    """The correction cannot be made; the message says why."""

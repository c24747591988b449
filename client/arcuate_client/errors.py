"""What can go wrong while asking a node."""

from collections.abc import Mapping
from typing import Any


class ArcuateError(Exception):
    """The node could not be asked, or refused."""


class Unreachable(ArcuateError):
    """The node does not answer; the message says why."""


class Refused(ArcuateError):
    """The node refused (RFC 9457).

    Attributes
    ----------
    status
        HTTP status.
    kind
        Type of the problem, as `urn:arcuate:problem:invalid-parameter`.
    detail
        A sentence for people.
    problem
        The whole document, with `errors` that name wrong parameters.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.kind = str(problem.get("type", "about:blank"))
        self.detail = str(problem.get("detail", "The node gave no reason"))
        self.problem = dict(problem)
        super().__init__(f"{status}: {self.detail}")


class NotFound(Refused):
    """Nothing is kept under that name (404), or no longer (410)."""

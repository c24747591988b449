"""The root of the project's errors, and the few that more than one room raises.

    NodeError
    ├─ ScanRefused          an answer, not a crash: the scan must not be scored
    ├─ SettingsInvalid      a setting is unknown or out of range
    ├─ InfrastructureError* the database, the storage or the accelerator is away
    └─ RecordNotFound       nothing is kept under that identifier
                            * retry may help

Each room adds its own small family in its `errors.py`.
"""

from typing import ClassVar

from core.values.reason import Reason, ReasonCode


class NodeError(Exception):
    """Something went wrong in the node."""

    #: Whether the same work may succeed when tried again.
    retry: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class ScanRefused(NodeError):
    """The scan must not be scored."""

    def __init__(self, code: ReasonCode, message: str) -> None:
        super().__init__(message)
        self.reason = Reason(code, message)


class SettingsInvalid(NodeError):
    """A setting is unknown or out of range."""


class InfrastructureError(NodeError):
    """The database, the storage or the accelerator is away."""

    retry = True


class RecordNotFound(NodeError):
    """Nothing is kept under that identifier."""

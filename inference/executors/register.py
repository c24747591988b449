"""The executors: a new one is a file in this folder and a line in this tuple."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.settings import Settings
from inference.executors.executor import Executor
from inference.executors.in_process import InProcess
from inference.executors.kserve_v2 import open_server


@dataclass(frozen=True)
class ExecutorKind:
    """One way to compute.

    Attributes
    ----------
    name
        The value of `ARCUATE_EXECUTOR`.
    """

    name: str
    open: Callable[[Settings], Executor]


def _in_process(settings: Settings) -> Executor:
    return InProcess(settings)


EXECUTORS: Final = (
    ExecutorKind("inprocess", _in_process),
    ExecutorKind("kserve-v2", open_server),
)


def executor_of(settings: Settings) -> Executor:
    """Return what computes on this node.

    Raises
    ------
    SettingsInvalid
        If a file that its settings name cannot be used.
    """
    return next(kind for kind in EXECUTORS if kind.name == settings.executor).open(settings)

"""The settings of scoring."""

import os
from typing import Annotated, Final

from pydantic import BaseModel, Field

#: Stands for as many processes as the machine suggests.
AUTOMATIC: Final = -1


class ScoringSettings(BaseModel):
    """How many scans are read and measured at a time."""

    preparation_processes: Annotated[
        int,
        Field(
            ge=AUTOMATIC,
            le=256,
            description="Processes that read and measure scans for the one that predicts; -1: one "
            "less than there are processors, at least 1; 0: it does so itself.",
        ),
    ] = AUTOMATIC

    @property
    def preparation_processes_used(self) -> int:
        """The number of processes with its default filled in."""
        if self.preparation_processes == AUTOMATIC:
            return max(1, _processors() - 1)
        return self.preparation_processes


def _processors() -> int:
    """Return how many processors this process may use; macOS cannot say."""
    ask = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if ask is None else len(ask(0))

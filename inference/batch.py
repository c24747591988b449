"""Analyses that wait to be predicted together: at most so many, at most so long, urgent first."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from inference.analysis import GROUP_SIZE, Analysis

#: Of jobs below this priority nobody waits for the result: an archive that is scored again.
URGENT_PRIORITY: Final = 0
#: How long a scan waits for others to be predicted with, in seconds.
URGENT_WAIT_SECONDS: Final = 0.02
LONGEST_WAIT_SECONDS: Final = 0.25


@dataclass
class Batch:
    """What is prepared and not predicted yet.

    Parameters
    ----------
    clock
        Seconds since any moment.
    """

    clock: Callable[[], float] = monotonic
    _waiting: list[tuple[float, Analysis]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, analysis: Analysis) -> None:
        """Let an analysis wait."""
        is_urgent = analysis.claimed.priority >= URGENT_PRIORITY
        patience = URGENT_WAIT_SECONDS if is_urgent else LONGEST_WAIT_SECONDS
        self._waiting.append((self.clock() + patience, analysis))

    def seconds_left(self, more_to_come: bool) -> float | None:
        """Return how long there is to wait for others; 0 when it is due, None when it is empty.

        Parameters
        ----------
        more_to_come
            Whether others are being prepared.
        """
        if not self._waiting:
            return None
        if not more_to_come or len(self._waiting) >= GROUP_SIZE:
            return 0.0
        return max(0.0, min(deadline for deadline, _ in self._waiting) - self.clock())

    def take(self) -> list[Analysis]:
        """Take out the next to be predicted, the urgent ones first."""
        # Stable: among equals, who came first.
        self._waiting.sort(key=lambda entry: -entry[1].claimed.priority)
        taken, self._waiting = self._waiting[:GROUP_SIZE], self._waiting[GROUP_SIZE:]
        return [analysis for _, analysis in taken]

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

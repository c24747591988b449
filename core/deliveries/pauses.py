"""How long is waited before another attempt: twice as long each time, and never quite as long."""

import random
from typing import Final

FIRST_PAUSE_SECONDS: Final = 5.0
#: So that what failed together does not come back together.
_JITTER: Final = 0.2
#: Doubling beyond this leaves the range of a float before anyone notices.
_MOST_DOUBLINGS: Final = 30


def pause_seconds(failures: int, longest_seconds: float) -> float:
    """Return the pause after that many failures in a row, at least 1."""
    doublings = min(failures - 1, _MOST_DOUBLINGS)
    pause: float = min(FIRST_PAUSE_SECONDS * 2**doublings, longest_seconds)
    # The jitter is no secret.
    return pause * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311

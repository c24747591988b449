"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable
from typing import Final

_POLL_SECONDS: Final = 0.05


def wait_until(condition: Callable[[], bool], patience_seconds: float) -> bool:
    """Ask until the condition holds; return whether it did before patience ended."""
    deadline = time.monotonic() + patience_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True

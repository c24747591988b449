"""How many processors there are."""

import os


def processors() -> int:
    """Return how many processors this process may use; macOS cannot say."""
    ask = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if ask is None else len(ask(0))

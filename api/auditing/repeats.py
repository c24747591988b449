"""Looks that come again and again, as when a page refreshes itself."""

import time
from collections.abc import Callable
from typing import Final

from core.values.audit import AuditAction, AuditEvent, AuditOutcome

_REPEATED: Final = frozenset({AuditAction.READ, AuditAction.SEARCH})
#: Looks remembered; beyond it the oldest are written anew.
_MOST: Final = 10_000


class Repeats:
    """What was recorded a moment ago, so that it covers the same look again.

    Parameters
    ----------
    seconds
        How long.
    clock
        Returns seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._recorded: dict[object, float] = {}

    def covers(self, event: AuditEvent) -> bool:
        """Whether an entry of a moment ago says the same."""
        key = _key(event)
        at = self._recorded.get(key)
        return at is not None and self._clock() - at < self._seconds

    def note(self, event: AuditEvent) -> None:
        """Remember an entry that was written."""
        key = _key(event)
        if key is None or not self._seconds:
            return
        self._recorded.pop(key, None)
        self._recorded[key] = self._clock()
        while len(self._recorded) > _MOST:
            del self._recorded[next(iter(self._recorded))]


def _key(event: AuditEvent) -> object:
    if event.action not in _REPEATED or event.outcome is not AuditOutcome.SUCCESS:
        return None
    detail = tuple(sorted((name, str(value)) for name, value in event.detail.items()))
    return (
        event.actor,
        event.action,
        event.object_kind,
        event.object_id,
        tuple(event.patients),
        detail,
    )

"""What the OpenID provider said before, asked for anew by one thread while the others go on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Final

from api.errors import ProviderAway
from core.logs import get_logger

#: How old a description or a key may be before it is asked for again.
_FRESH_SECONDS: Final = 600.0
#: And where the provider does not answer, how long what is known still holds.
_STALE_SECONDS: Final = 3600.0
#: Nothing that is known is asked for more often than this, whatever tokens name, answered or not.
_PAUSE_SECONDS: Final = 15.0
#: Where nothing is known that still holds, how long after a failure it is not asked again.
_BACK_OFF_SECONDS: Final = 5.0
_LOG = get_logger(__name__)


@dataclass(frozen=True)
class _Known:
    """What the provider said and when, and when it was last asked, answering or not."""

    value: Any
    at: float
    asked_at: float


def _never(_value: Any) -> bool:
    return False


class Renewing:
    """What is known of a provider by name, for all threads of a process.

    A provider that takes requests and does not answer holds up the one thread that asks: else each
    would wait for its timeout, and none be left to answer others.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: Held to look and to note, never while the provider is asked.
        self._changed = threading.Condition()
        self._asking: set[str] = set()
        self._known: dict[str, _Known] = {}
        self._failed_at: dict[str, float] = {}

    def value(
        self, name: str, ask: Callable[[], Any], is_behind: Callable[[Any], bool] = _never
    ) -> Any:
        """Return what is known, asked for by this thread where that is due.

        Parameters
        ----------
        is_behind
            Whether what is known lacks something that is needed.

        Raises
        ------
        ProviderAway
            If nothing is known and it does not answer, or is being asked at this moment for what
            is lacking.
        """
        with self._changed:
            # What nobody knows yet, they wait for; unless it was asked for in vain before.
            self._changed.wait_for(lambda: name not in self._asking or self._is_told(name))
            known, now = self._holding(name), self._clock()
            if not self._is_to_ask(name, known, now, is_behind):
                return self._known[name].value
            self._asking.add(name)
        try:
            return self._ask(name, ask, known, now)
        finally:
            with self._changed:
                self._asking.discard(name)
                self._changed.notify_all()

    def _holding(self, name: str) -> _Known | None:
        known = self._known.get(name)
        holds = known is not None and self._clock() - known.at < _STALE_SECONDS
        return known if holds else None

    def _is_told(self, name: str) -> bool:
        return name in self._failed_at or self._holding(name) is not None

    def _is_to_ask(
        self, name: str, known: _Known | None, now: float, is_behind: Callable[[Any], bool]
    ) -> bool:
        if known is None:
            if name in self._asking or now - self._failed_at.get(name, -inf) < _BACK_OFF_SECONDS:
                raise ProviderAway
            return True
        is_lacking = is_behind(known.value)
        if not self._asking:
            return _is_due(known, now, is_lacking)
        if is_lacking:
            # Perhaps it is there in a moment.
            raise ProviderAway
        return False

    def _ask(self, name: str, ask: Callable[[], Any], known: _Known | None, asked_at: float) -> Any:
        try:
            found = _Known(ask(), asked_at, asked_at)
        except ProviderAway as error:
            if known is None:
                self._failed_at[name] = self._clock()
                raise
            _LOG.warning("provider_away", cause=str(error))
            found = replace(known, asked_at=self._clock())
        self._known[name] = found
        self._failed_at.pop(name, None)
        return found.value


def _is_due(known: _Known, now: float, is_behind: bool) -> bool:
    is_old = is_behind or now - known.at >= _FRESH_SECONDS
    return is_old and now - known.asked_at >= _PAUSE_SECONDS

"""What stands at the door of a process: how often callers may ask, and what it lately wrote down.

All of it is this process's own. What several must agree on lies in the record: keys, sessions,
wrong keys by address.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final

from fastapi import Request

from api.oidc.provider import Provider
from api.rates import Rates
from core.settings import Settings

_MOST_NAMES: Final = 10_000


class Recently:
    """Says whether something was not done lately, and takes it to be done then.

    Parameters
    ----------
    seconds
        How long something counts as done.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._done: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def is_due(self, name: str) -> bool:
        """Whether it is due; the next who asks is told that it is not."""
        now = self._clock()
        with self._lock:
            done_at = self._done.pop(name, None)
            is_due = done_at is None or now - done_at >= self._seconds
            self._done[name] = now if is_due or done_at is None else done_at
            if len(self._done) > _MOST_NAMES:
                self._done.popitem(last=False)
            return is_due


class Door:
    """The parts, made once for the application.

    Attributes
    ----------
    requests, logins
        How often a caller may ask, and an address may sign in.
    uses
        Which uses of keys and sessions were lately written down.
    provider
        The OpenID provider; None where there is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.requests = Rates(settings.requests_per_minute)
        self.logins = Rates(settings.logins_per_minute)
        self.uses = Recently(60.0)
        self.provider = Provider(settings) if settings.auth == "oidc" else None


def door_of(request: Request) -> Door:
    """Return the door of the application that a request came to."""
    door: Door = request.app.state.door
    return door


def address_of(request: Request) -> str:
    """Return the address a request came from: that of the client where a trusted proxy says it."""
    return request.client.host if request.client is not None else ""

"""How often somebody may ask: a bucket that fills steadily and is emptied by asking."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

_MINUTE: Final = 60.0


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Rates:
    """Counts in this process alone: what is guarded is this process's time.

    Parameters
    ----------
    per_minute
        Requests a minute, as many of them at once; 0 for any number.
    most_names
        So many are remembered; those that asked longest ago are forgotten, and have a full bucket.
    """

    def __init__(
        self, per_minute: int, most_names: int = 10_000, clock: Callable[[], float] = monotonic
    ) -> None:
        self._per_minute = per_minute
        self._most_names = most_names
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """Count a request; return 0, or after how many seconds there is room for it."""
        if not self._per_minute:
            return 0.0
        with self._lock:
            bucket = self._filled(name)
            if bucket.tokens >= 1.0:
                bucket.tokens -= 1.0
                return 0.0
            return (1.0 - bucket.tokens) * _MINUTE / self._per_minute

    def _filled(self, name: str) -> _Bucket:
        now, most = self._clock(), float(self._per_minute)
        bucket = self._buckets.pop(name, None) or _Bucket(most, now)
        gained = (now - bucket.filled_at) * self._per_minute / _MINUTE
        bucket.tokens, bucket.filled_at = min(most, bucket.tokens + gained), now
        self._buckets[name] = bucket
        if len(self._buckets) > self._most_names:
            self._buckets.popitem(last=False)
        return bucket

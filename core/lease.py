"""A claim that is held for as long as its work goes on."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from core import ledger
from core.database import Database
from core.errors import InfrastructureError
from core.ledger import Claim, LeaseLost
from core.logs import get_logger

#: Work that cannot renew its lease itself is believed to go on for so long; then it hangs.
_LONGEST_SECONDS: Final = 1800.0

_log = get_logger(__name__)


@dataclass
class Lease:
    """The lease of one claim, renewed while its work goes on."""

    database: Database
    claimed: Claim
    seconds: float
    _renewed_at: float = field(default_factory=monotonic)

    def beat(self) -> None:
        """Renew the lease once a third of it is gone."""
        if monotonic() - self._renewed_at > self.seconds / 3:
            self.renew(self.seconds)

    def renew(self, seconds: float) -> None:
        """Hold the claim for that long from now."""
        with self.database.transaction() as session:
            ledger.renew(session, self.claimed, seconds)
        self._renewed_at = monotonic()

    @contextmanager
    def held(self) -> Generator[None]:
        """Renew it from a thread while a block goes on that cannot do so, half an hour at most.

        One that is lost all the same is noticed when the work is recorded.
        """
        ended = threading.Event()
        beating = threading.Thread(target=self._beat_until, args=(ended,), daemon=True)
        beating.start()
        try:
            yield
        finally:
            ended.set()
            beating.join()

    def _beat_until(self, ended: threading.Event) -> None:
        until = monotonic() + _LONGEST_SECONDS
        while not ended.wait(self.seconds / 6) and monotonic() < until:
            try:
                self.beat()
            except LeaseLost:
                return
            except InfrastructureError as error:
                _log.info("lease_not_renewed", job=self.claimed.job_id, error=str(error))

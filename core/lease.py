"""A claim that is held for as long as its work goes on."""

from dataclasses import dataclass, field
from time import monotonic

from core import ledger
from core.database import Database
from core.ledger import Claim


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

"""A worker that takes nothing of its own while more urgent work waits."""

from dataclasses import dataclass
from typing import Final

from core import ledger
from core.tables.jobs import JobKind
from core.worker import Worker

#: Whatever comes in is scored before anything is scored again.
_URGENT: Final = JobKind.ANALYSE


@dataclass
class YieldingWorker(Worker):
    """Works on a host that scores what comes in, too."""

    def run_once(self) -> int:
        """Claim and work unless something that came in waits; return how many jobs it claimed."""
        with self.database.reading() as session:
            if ledger.is_any_claimable(session, _URGENT):
                return 0
        return super().run_once()

"""The loop that gives entries their place in the chain, moments after they were recorded."""

import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from core.audit.chain import chain_waiting, last_entry
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger

#: How often is looked whether entries wait.
LOOK_SECONDS: Final = 0.5
_AWAY_SECONDS: Final = 2.0
#: How often the log says where the chain ends: a note of it outside of the database.
_TELL_SECONDS: Final = 3600.0

_log = get_logger(__name__)


@dataclass
class ChainLoop:
    """Chains what waits until asked to stop; several may run, they take turns."""

    database: Database
    key: bytes | None
    stopping: threading.Event
    _told_at: float = field(default=float("-inf"))

    def run(self) -> None:
        """Chain, look again, and now and then say in the log where the chain ends."""
        while not self.stopping.is_set():
            try:
                chained = chain_waiting(self.database, self.key)
                if chained and monotonic() - self._told_at >= _TELL_SECONDS:
                    self._tell()
            except InfrastructureError as error:
                _log.warning("infrastructure_away", error=str(error))
                self.stopping.wait(_AWAY_SECONDS)
            self.stopping.wait(LOOK_SECONDS)

    def _tell(self) -> None:
        with self.database.reading() as session:
            number, digest, _ = last_entry(session)
        _log.info("audit_chain_end", number=number, digest=digest)
        self._told_at = monotonic()

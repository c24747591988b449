"""The loop that gives entries their place in the chain, moments after they were recorded."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from core.audit.chain import chain_waiting, last_entry
from core.audit.keyed_note import note_keyed
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
    """Chains what waits until asked to stop; several may run, they take turns.

    Attributes
    ----------
    home
        The folder of the node: from which entry on the chain has the key is noted there.
    """

    database: Database
    key: bytes | None
    stopping: threading.Event
    home: Path
    _is_noted: bool = False
    _told_at: float = field(default=float("-inf"))

    def run(self) -> None:
        """Chain, look again, and now and then say in the log where the chain ends."""
        while not self.stopping.is_set():
            try:
                chained = chain_waiting(self.database, self.key)
                if self.key is not None and not self._is_noted:
                    self._note()
                if chained and monotonic() - self._told_at >= _TELL_SECONDS:
                    self._tell()
            except InfrastructureError as error:
                _log.warning("infrastructure_away", error=str(error))
                self.stopping.wait(_AWAY_SECONDS)
            self.stopping.wait(LOOK_SECONDS)

    def _note(self) -> None:
        try:
            note_keyed(self.database, self.home)
        except OSError as error:
            _log.error("audit_key_not_noted", error=type(error).__name__)
        self._is_noted = True

    def _tell(self) -> None:
        with self.database.reading() as session:
            number, digest, _ = last_entry(session)
        _log.info("audit_chain_end", number=number, digest=digest)
        self._told_at = monotonic()

"""One look at the ledger for all workers of a process.

Workers that look by themselves do so at every commit of anyone; a dozen of them take more
processor time for that than for their work. See docs/decisions/0035-one-lookout-a-process.md.
"""

import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from core.claimable import whether_any_of
from core.database import Database, database_seconds
from core.errors import InfrastructureError
from core.logs import get_logger
from core.tables.jobs import JobKind
from core.wakeup import Wakeup, open_wakeup

#: Longest time between two looks in seconds; a job whose lease or delay ended announces nothing.
LOOK_SECONDS: Final = 0.2
_AWAY_SECONDS: Final = 1.0

_log = get_logger(__name__)


class Lookout:
    """Looks whenever the record changed, and calls those workers that have something to do."""

    def __init__(self, database: Database, stopping: threading.Event) -> None:
        self._database = database
        self._stopping = stopping
        self._calls: list[_Call] = []

    def wakeup(self, kind: JobKind) -> Wakeup:
        """Return what wakes a worker when there may be a job of its kind."""
        call = _Call(kind)
        # Another list, not a longer one: the lookout may be going through this one.
        self._calls = [*self._calls, call]
        return call

    def run(self) -> None:
        """Look until asked to stop, and call everybody then."""
        with closing(open_wakeup(self._database)) as changed:
            while not self._stopping.is_set():
                try:
                    self.look()
                except InfrastructureError as error:
                    _log.info("lookout_blind", error=str(error))
                    self._stopping.wait(_AWAY_SECONDS)
                changed.wait(LOOK_SECONDS)
        _wake(self._calls)

    def look(self) -> None:
        """Call those that have something to do.

        Raises
        ------
        DatabaseAway
            If the database does not answer.
        """
        calls = self._calls
        kinds = list(dict.fromkeys(call.kind for call in calls))
        if not kinds:
            return
        with self._database.reading() as session:
            asked = whether_any_of(kinds, database_seconds(session))
            found = dict(zip(kinds, session.connection().execute(asked).one(), strict=True))
        _wake(call for call in calls if found[call.kind])


class _Call:
    """Waits for the lookout."""

    def __init__(self, kind: JobKind) -> None:
        self.kind = kind
        self.event = threading.Event()

    def wait(self, timeout_seconds: float) -> None:
        """Return when called, or after the time-out."""
        self.event.wait(timeout_seconds)
        self.event.clear()

    def close(self) -> None:
        """Nothing is open."""


def _wake(calls: Iterable[_Call]) -> None:
    for call in calls:
        call.event.set()

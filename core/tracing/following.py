"""The loop that tells a collector of each scan's way, by following the change feed."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sqlalchemy import text
from sqlmodel import Session

from core.changes import changes_after, last_change
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.tables.feed_positions import FeedPositionRow
from core.tracing.reading import spans_of
from core.tracing.spans import Span

READER: Final = "traces"
_BATCH: Final = 200
#: Spans kept while the collector is away; older ones are given up.
_MOST_WAITING: Final = 5000
_LOOK_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 10.0

_log = get_logger(__name__)


class Sender(Protocol):
    """What takes spans."""

    def send(self, spans: Sequence[Span]) -> bool:
        """Send spans; whether they were taken."""


@dataclass
class TraceFollower:
    """Follows the feed. Of several, each batch of changes is told by one.

    A process that dies loses the batch it was about to send: a trace is for looking, not a record.
    """

    database: Database
    sender: Sender
    _waiting: list[Span] = field(default_factory=list)

    def begin(self) -> None:
        """Take up a place in the feed, where nobody did before: what comes from now on is told.

        Raises
        ------
        DatabaseAway
            If the database does not answer.
        """
        with self.database.transaction() as session:
            if session.get(FeedPositionRow, READER) is None:
                _begin(session)

    def run(self, stopping: threading.Event) -> None:
        """Follow until asked to stop."""
        pause = 0.0
        while not stopping.wait(pause):
            try:
                pause = _LOOK_SECONDS if self.turn() else _PAUSE_SECONDS
            except InfrastructureError as error:
                pause = _PAUSE_SECONDS
                _log.warning("infrastructure_away", error=str(error), pause_seconds=pause)

    def turn(self) -> bool:
        """Tell all that is new; whether the collector took it."""
        while True:
            taken = self._take()
            if self._waiting and not self._send():
                return False
            if taken < _BATCH:
                return True

    def _take(self) -> int:
        """Take the next changes for this process; return how many there were."""
        with self.database.reading() as session:
            position = session.get(FeedPositionRow, READER)
            if position is not None and position.number >= last_change(session):
                return 0
        with self.database.transaction() as session:
            held = session.get(FeedPositionRow, READER, with_for_update=True)
            held = held or _begin(session)
            changes = changes_after(session, held.number, _BATCH)
            if changes:
                held.number = changes[-1].number
                self._waiting += spans_of(session, changes)
        return len(changes)

    def _send(self) -> bool:
        if self.sender.send(self._waiting):
            self._waiting = []
            return True
        lost = max(0, len(self._waiting) - _MOST_WAITING)
        self._waiting = self._waiting[lost:]
        _log.warning("traces_not_sent", waiting=len(self._waiting), given_up=lost)
        return False


def _begin(session: Session) -> FeedPositionRow:
    """Begin with what comes from now on; two that begin at once begin alike."""
    statement = text(
        "INSERT INTO feed_positions (reader, number) VALUES (:reader, :number) "
        "ON CONFLICT DO NOTHING"
    ).bindparams(reader=READER, number=last_change(session))
    session.execute(statement)
    return session.get_one(FeedPositionRow, READER, with_for_update=True)

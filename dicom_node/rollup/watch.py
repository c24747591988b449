"""The loop that follows what comes in. Several may run: each batch is taken note of by one."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.clock import Clock, utc_now
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.study_summaries import note_openings
from core.tables.columns import key_of
from dicom_node.rollup.due import enqueue_due, has_due
from dicom_node.rollup.ends import note_ends, read_ends, take_ends
from dicom_node.rollup.news import News, advance, read_news
from dicom_node.rollup.notices import has_notices, note_notices
from dicom_node.rollup.sightings import note_associations, note_objects, read_origins
from dicom_node.rollup.silence import find_changed, tell_changed
from dicom_node.storage.bytes import Storage

#: Between two looks at the record; a look that finds nothing reads three indexes.
TURN_SECONDS: Final = 1.0
#: Batches of news taken in one turn, before what is due is looked at.
_MOST_BATCHES: Final = 20
#: After a turn that failed, as while the database is away.
_PAUSE_SECONDS: Final = 5.0

_log = get_logger(__name__)


@dataclass(frozen=True)
class RollUp:
    """Opens summaries of what came, and has those settled that are due.

    Attributes
    ----------
    quiet
        How long nothing must come for a study before it is settled.
    """

    database: Database
    storage: Storage
    quiet: timedelta
    clock: Clock = utc_now

    def run(self, stopping: threading.Event) -> None:
        """Look again and again until asked to stop."""
        pause = TURN_SECONDS
        while not stopping.wait(pause):
            try:
                self.turn()
                pause = TURN_SECONDS
            except InfrastructureError as error:
                pause = _PAUSE_SECONDS
                _log.warning("infrastructure_away", error=str(error), pause_seconds=pause)
            # The loop's edge: the reports and commitments of this process must not end with it.
            except Exception as error:  # noqa: BLE001
                pause = _PAUSE_SECONDS
                _log.error("roll_up_failed", exc_info=error)

    def turn(self) -> None:
        """Take note of all that is new, then of all that is due."""
        with self.database.reading() as session:
            ended = [key_of(row) for row in read_ends(session)]
        # What an association brought was committed before its end: it must be taken note of first.
        # And nobody is silent whose objects were not taken note of.
        if self._follow():
            self._take_ends(ended)
            self._tell_silence()
        self._settle()

    def _take_ends(self, keys: Sequence[int]) -> None:
        if keys:
            with self.database.transaction() as session:
                ends = take_ends(session, keys)
                note_ends(session, ends, self.quiet)
                note_associations(session, ends)

    def _tell_silence(self) -> None:
        with self.database.reading() as session:
            changed = find_changed(session, self.clock())
        if changed:
            with self.database.transaction() as session:
                tell_changed(session, self.clock())

    def _settle(self) -> None:
        with self.database.reading() as session:
            noticed, due = has_notices(session), has_due(session, self.clock())
        if noticed:
            with self.database.transaction() as session:
                note_notices(session, self.clock())
        if noticed or due:
            with self.database.transaction() as session:
                enqueue_due(session, self.clock())

    def _follow(self) -> bool:
        """Take note of what came; return whether nothing more is there."""
        for _ in range(_MOST_BATCHES):
            with self.database.reading() as session:
                news = read_news(session)
            if news.until > news.after:
                self._take(news)
            if news.is_last:
                return True
        return False

    def _take(self, news: News) -> None:
        # Files are read before the transaction: it holds up every other writer on SQLite.
        origins = read_origins(self.storage, news.arrived)
        with self.database.transaction() as session:
            if advance(session, news):
                note_objects(session, news.arrived, origins)
                note_openings(session, news.openings, self.quiet, self.clock())

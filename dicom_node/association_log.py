"""Writes down which associations ended, so that others learn that what they brought is complete.

What they brought goes into the audit trail with it, one entry for all of it.

No store waits for it: the events only queue, and a thread of its own writes everything that is
queued in one transaction. What a killed process had not written is no loss of an object; the study
it belongs to is settled by its quiet time instead.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_ECHO_RQ
from pynetdicom.events import Event, EventHandlerType
from sqlmodel import Session

from core.clock import Clock, utc_now
from core.database import Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.tables.associations import EndedAssociationRow
from core.values.audit import Actor
from dicom_node.audited import actor_of, append_stores
from dicom_node.receive.store_tally import StoreTally

#: Ends kept in memory while the database is away or refuses them; the oldest go first.
MOST_WAITING: Final = 10_000
#: Between two attempts meanwhile.
_PAUSE_SECONDS: Final = 2.0

_log = get_logger(__name__)


@dataclass
class _Open:
    began_at: datetime
    echoed: bool = False


@dataclass(frozen=True)
class _Ended:
    """An end, and what to say of it in the audit trail."""

    row: EndedAssociationRow
    actor: Actor
    tally: StoreTally


@dataclass(eq=False)
class AssociationLog:
    """The associations of one process: those that are open, and the ends still to be written."""

    database: Database
    clock: Clock = utc_now
    _open: WeakKeyDictionary[Association, _Open] = field(default_factory=WeakKeyDictionary)
    _tallies: WeakKeyDictionary[Association, StoreTally] = field(default_factory=WeakKeyDictionary)
    _ended: deque[_Ended] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopping: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Write ends from now on."""
        self._thread = threading.Thread(target=self._run, name="association_log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, once, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def handlers(self) -> list[EventHandlerType]:
        """Return what a server binds to have its associations written down."""
        return [
            (evt.EVT_ACCEPTED, self._note_begin),
            (evt.EVT_DIMSE_RECV, self._note_message),
            (evt.EVT_CONN_CLOSE, self._note_end),
        ]

    def tally_of(self, association: Association) -> StoreTally:
        """Return what counts the stores of an association."""
        with self._changed:
            return self._tallies.setdefault(association, StoreTally())

    def _note_begin(self, event: Event) -> None:
        with self._changed:
            self._open[event.assoc] = _Open(self.clock())

    def _note_message(self, event: Event) -> None:
        known = self._open.get(event.assoc)
        if known is not None and isinstance(event.message, C_ECHO_RQ):
            known.echoed = True

    def _note_end(self, event: Event) -> None:
        with self._changed:
            known = self._open.pop(event.assoc, None)
            tally = self._tallies.pop(event.assoc, StoreTally())
        if known is None:
            # It was never an association: rejected, or a probe.
            return
        requestor = event.assoc.requestor
        ended = EndedAssociationRow(
            calling_ae_title=requestor.ae_title.strip(),
            address=requestor.address or "",
            began_at=known.began_at,
            ended_at=self.clock(),
            echoed=known.echoed,
        )
        with self._changed:
            self._ended.append(_Ended(ended, actor_of(event.assoc), tally))
            if len(self._ended) > MOST_WAITING:
                self._ended.popleft()
            self._changed.notify()

    def _run(self) -> None:
        while self._wait_for_ends():
            if not self._write() and not self._stopping:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, _PAUSE_SECONDS)
        self._write()

    def _wait_for_ends(self) -> bool:
        """Return at the next end; False when nothing more is to be waited for."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._ended) or self._stopping)
            return not self._stopping

    def _write(self) -> bool:
        """Write what is queued in one transaction; return whether nothing is left to be written."""
        with self._changed:
            batch = list(self._ended)
            self._ended.clear()
        if not batch:
            return True
        try:
            with self.database.transaction() as session:
                session.add_all([_copy(one.row) for one in batch])
                for one in batch:
                    _append(session, one)
        except InfrastructureError as error:
            _log.warning("associations_not_logged", waiting=len(batch), error=str(error))
        # The loop's edge: the ends of all later associations must not be lost with these.
        except Exception as error:  # noqa: BLE001
            _log.error("associations_not_logged", waiting=len(batch), exc_info=error)
        else:
            return True
        with self._changed:
            self._ended.extendleft(reversed(batch))
        return False


def _append(session: Session, ended: _Ended) -> None:
    tally = ended.tally
    if not tally.is_empty:
        append_stores(session, ended.actor, tally.kept, tally.refused, sorted(tally.studies))


def _copy(row: EndedAssociationRow) -> EndedAssociationRow:
    # A row of a transaction that failed belongs to its session for good.
    return EndedAssociationRow(**row.model_dump())

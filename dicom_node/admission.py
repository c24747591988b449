"""Who gets an association: the allow-list and the limits, asked before one is made.

pynetdicom's own check (`require_calling_aet`) is one list for the whole process and knows no
addresses. In EVT_REQUESTED, which comes before negotiation, only the decision is looked at once
more; pynetdicom swallows errors of that handler and goes on to accept.
"""

import socket
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Queue
from typing import Final, cast

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import Event

from core.clock import Clock, utc_now
from core.database import Database
from core.logs import get_logger
from core.tables.peers import PeerRow
from dicom_node.callers import Caller, Refusal, Rejection
from dicom_node.peers import calls_from_its_host
from dicom_node.refusals import RefusalRecord
from dicom_node.seats import Seats

#: `last_seen_at` of a peer is no more precise than this: a write per association would cost more.
_SEEN_PRECISION: Final = timedelta(minutes=1)
#: Sta2 of PS3.8 9.2.1: connection open, no A-ASSOCIATE-RQ yet.
_AWAITING_REQUEST: Final = "Sta2"

_log = get_logger(__name__)


@dataclass(frozen=True)
class Admission:
    """Decides for one node.

    Attributes
    ----------
    ae_title
        Ours: a caller that means another one is rejected.
    allow_unknown_peers
        Whether callers outside the list of peers get in, too.
    seats
        The places there are.
    """

    database: Database
    ae_title: str
    allow_unknown_peers: bool
    seats: Seats
    clock: Clock = utc_now
    refusals: RefusalRecord = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "refusals", RefusalRecord(self.database, self.clock))

    def admit(self, caller: Caller, connection: socket.socket) -> Rejection | None:
        """Give a caller's connection a place, or return what it is told; record either.

        Raises
        ------
        DatabaseAway
            If the list cannot be read.
        """
        with self.database.reading() as session:
            peer = session.get(PeerRow, caller.ae_title)
        refusal = self._find_refusal(caller, peer) or self.seats.take(connection, caller)
        if refusal is not None:
            self.refusals.add(caller, refusal)
            return refusal.rejection
        if peer is not None and self._is_stale(peer):
            self._record_visit(peer)
        return None

    def _find_refusal(self, caller: Caller, peer: PeerRow | None) -> Refusal | None:
        if caller.called_ae_title != self.ae_title:
            return Refusal.CALLED_AE_TITLE_NOT_RECOGNISED
        # Even where strangers are let in, nobody comes under the name of a bound peer.
        if peer is not None and peer.certificate_sha256 is not None:
            if caller.certificate_sha256 is None:
                return Refusal.CERTIFICATE_MISSING
            if caller.certificate_sha256 != peer.certificate_sha256:
                return Refusal.CERTIFICATE_NOT_RECOGNISED
        if self.allow_unknown_peers:
            return None
        if peer is None or not calls_from_its_host(peer, caller.address):
            return Refusal.CALLING_AE_TITLE_NOT_RECOGNISED
        return None

    def _is_stale(self, peer: PeerRow) -> bool:
        seen = peer.last_seen_at
        return seen is None or self.clock() - seen >= _SEEN_PRECISION

    def _record_visit(self, peer: PeerRow) -> None:
        with self.database.transaction() as session:
            known = session.get(PeerRow, peer.ae_title)
            if known is not None:
                known.last_seen_at = self.clock()


def handle_requested(event: Event, admission: Admission) -> None:
    """Reject an association whose connection was given no place."""
    transport = event.assoc.dul.socket
    is_admitted = False
    try:
        is_admitted = transport is not None and admission.seats.holds(transport.socket)
    finally:
        if not is_admitted:
            _log.error("association_not_admitted")
            _reject(event.assoc, Rejection.TEMPORARY_CONGESTION)


def handle_connection_closed(event: Event) -> None:
    """Let go of a connection that closed without a request, as load balancers' probes do.

    pynetdicom's thread would wait for the request until its time-out and hold a place meanwhile.
    """
    provider = event.assoc.dul
    if provider.state_machine.current_state == _AWAITING_REQUEST:
        # What its waiting call returns at a time-out.
        cast("Queue[object]", provider.to_user_queue).put(None)


def _reject(association: Association, rejection: Rejection) -> None:
    association.acse.send_reject(*rejection.value)
    evt.trigger(association, evt.EVT_REJECTED, {})
    # Without this the socket is closed before the sending thread has written the rejection.
    association.kill()

"""Who gets an association: the allow-list, asked at each A-ASSOCIATE-RQ.

pynetdicom's own check (`require_calling_aet`) is one list for the whole process and knows no
addresses; so it is decided in EVT_REQUESTED, which comes before negotiation. pynetdicom swallows
errors of that handler and goes on to accept: whatever happens here, the answer is first No.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from queue import Queue
from typing import Final, cast

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.changes import append_change
from core.clock import Clock, utc_now
from core.database import Database, DatabaseAway
from core.logs import get_logger
from core.tables.changes import ChangeKind
from core.tables.peers import PeerRow, RefusedCallerRow
from dicom_node.peers import calls_from_its_host
from dicom_node.receive.tls_connection import TLSConnection

#: `last_seen_at` of a peer is no more precise than this: a write per association would cost more.
_SEEN_PRECISION: Final = timedelta(minutes=1)
#: Sta2 of PS3.8 9.2.1: connection open, no A-ASSOCIATE-RQ yet.
_AWAITING_REQUEST: Final = "Sta2"

_log = get_logger(__name__)


class Rejection(Enum):
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    CALLING_AE_TITLE_NOT_RECOGNISED = (1, 1, 3)
    CALLED_AE_TITLE_NOT_RECOGNISED = (1, 1, 7)
    #: Transient: the database is away, nobody can be recognised.
    TEMPORARY_CONGESTION = (2, 3, 1)


class Refusal(StrEnum):
    """Why a caller stays out, as it is recorded: a contract, add and never rename."""

    CALLING_AE_TITLE_NOT_RECOGNISED = "calling_ae_title_not_recognised"
    CALLED_AE_TITLE_NOT_RECOGNISED = "called_ae_title_not_recognised"
    #: Bound to a certificate, and called without: on the plain port, or was not asked for one.
    CERTIFICATE_MISSING = "certificate_missing"
    #: Bound to another certificate than the one shown.
    CERTIFICATE_NOT_RECOGNISED = "certificate_not_recognised"

    @property
    def rejection(self) -> Rejection:
        """What the caller is told; PS3.8 knows no reason that names a certificate."""
        if self is Refusal.CALLED_AE_TITLE_NOT_RECOGNISED:
            return Rejection.CALLED_AE_TITLE_NOT_RECOGNISED
        return Rejection.CALLING_AE_TITLE_NOT_RECOGNISED


@dataclass(frozen=True)
class Caller:
    """Who asks for an association, from which address, and whom it believes to call.

    `certificate_sha256` is of the certificate it showed, None where it showed none.
    """

    ae_title: str
    address: str
    called_ae_title: str
    certificate_sha256: str | None = None


@dataclass(frozen=True)
class Admission:
    """Decides for one node.

    Attributes
    ----------
    ae_title
        Ours: a caller that means another one is rejected.
    allow_unknown_peers
        Whether callers outside the list of peers get in, too.
    """

    database: Database
    ae_title: str
    allow_unknown_peers: bool
    clock: Clock = utc_now

    def judge(self, caller: Caller) -> Refusal | None:
        """Return why the caller must stay out, None where it may come in; record either.

        Raises
        ------
        DatabaseAway
            If the list cannot be read.
        """
        with self.database.reading() as session:
            peer = session.get(PeerRow, caller.ae_title)
        refusal = self._find_refusal(caller, peer)
        if refusal is not None:
            self._record_refusal(caller, refusal)
        elif peer is not None and self._is_stale(peer):
            self._record_visit(peer)
        return refusal

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

    def _record_refusal(self, caller: Caller, refusal: Refusal) -> None:
        _log.warning(
            "caller_refused",
            peer=caller.ae_title,
            address=caller.address,
            called=caller.called_ae_title,
            reason=refusal.value,
        )
        try:
            with self.database.transaction() as session:
                self._count_refusal(session, caller, refusal)
        except IntegrityError:
            # The same caller knocked twice at once, and the other knock made the row.
            with self.database.transaction() as session:
                self._count_refusal(session, caller, refusal)

    def _count_refusal(self, session: Session, caller: Caller, refusal: Refusal) -> None:
        now = self.clock()
        key = (caller.ae_title, caller.address, caller.called_ae_title)
        known = session.get(RefusedCallerRow, key, with_for_update=True)
        if known is not None:
            known.count += 1
            known.reason, known.last_seen_at = refusal.value, now
            return
        session.add(
            RefusedCallerRow(
                calling_ae_title=caller.ae_title,
                address=caller.address,
                called_ae_title=caller.called_ae_title,
                reason=refusal.value,
                first_seen_at=now,
                last_seen_at=now,
            )
        )
        append_change(session, ChangeKind.CALLER_REFUSED, caller.ae_title)


def handle_requested(event: Event, admission: Admission) -> None:
    """Let the caller in, or reject its association."""
    rejection: Rejection | None = Rejection.TEMPORARY_CONGESTION
    try:
        refusal = admission.judge(_read_caller(event.assoc))
        rejection = refusal.rejection if refusal is not None else None
    except DatabaseAway as error:
        _log.error("caller_not_judged", error=str(error))
    finally:
        if rejection is not None:
            _reject(event.assoc, rejection)


def handle_connection_closed(event: Event) -> None:
    """Let go of a connection that closed without a request, as load balancers' probes do.

    pynetdicom's thread would wait for the request until its time-out and hold a place meanwhile.
    """
    provider = event.assoc.dul
    if provider.state_machine.current_state == _AWAITING_REQUEST:
        # What its waiting call returns at a time-out.
        cast("Queue[object]", provider.to_user_queue).put(None)


def _read_caller(association: Association) -> Caller:
    request = association.requestor.primitive
    if request is None:
        raise ValueError("an association was requested without a request")
    return Caller(
        ae_title=_printable(request.calling_ae_title),
        address=association.requestor.address or "",
        called_ae_title=_printable(request.called_ae_title),
        certificate_sha256=_certificate_of(association),
    )


def _certificate_of(association: Association) -> str | None:
    transport = association.dul.socket
    connection = transport.socket if transport is not None else None
    return connection.certificate_sha256 if isinstance(connection, TLSConnection) else None


def _printable(ae_title: str | None) -> str:
    # A control character must not reach the record; what replaces it is in no valid AE title.
    text = (ae_title or "").strip()
    return "".join(c if c.isascii() and c.isprintable() else "\ufffd" for c in text)


def _reject(association: Association, rejection: Rejection) -> None:
    association.acse.send_reject(*rejection.value)
    evt.trigger(association, evt.EVT_REJECTED, {})
    # Without this the socket is closed before the sending thread has written the rejection.
    association.kill()

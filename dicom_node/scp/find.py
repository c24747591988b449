"""Query service, C-FIND (PS3.4 C.4.1): the DIMSE door to what is kept."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

from pydicom import Dataset
from pydicom.tag import Tag
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)

from core.database import Database
from core.errors import NodeError
from core.logs import get_logger
from core.settings import Settings
from dicom_node.audited import record_query
from dicom_node.errors import IdentifierMismatch, MatchingKeyInvalid
from dicom_node.receive.commands import match_response
from dicom_node.receive.seam import restart_idle_timer
from dicom_node.scp.answer_stream import AnswerStream, PeerGone
from dicom_node.scp.find_response import Answering
from dicom_node.scp.identifier import Identifier, read_identifier
from dicom_node.scp.transfer_syntaxes import SMALL_MESSAGES
from dicom_node.statuses import Status, answer, comment_of, status_of
from dicom_node.storage.encoding import encoding_of
from dicom_node.storage.query.finding import Found, find
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.query import Query

#: The levels of each information model (PS3.4 C.6.1, C.6.2).
_LEVELS: Final[dict[str, tuple[Level, ...]]] = {
    str(PatientRootQueryRetrieveInformationModelFind): tuple(Level),
    str(StudyRootQueryRetrieveInformationModelFind): tuple(Level)[1:],
}
#: Requests of one association that wait while another is answered; none may, without negotiation.
_MOST_WAITING: Final = 32
#: Searches of one process at a time: each holds a connection to the database, of which those who
#: store need theirs. Answers are read in short pieces.
_SEARCHES: Final = threading.BoundedSemaphore(4)
_LOOK_SECONDS: Final = 0.5

_log = get_logger(__name__)

_Answers = Iterator[tuple[Dataset | int, Dataset | None]]


def add_find(entity: AE) -> None:
    """Let an application entity accept queries."""
    for sop_class_uid in _LEVELS:
        entity.add_supported_context(sop_class_uid, SMALL_MESSAGES)


def find_handlers(settings: Settings, database: Database) -> list[EventHandlerType]:
    """Return what a server binds to answer queries."""
    return [
        (evt.EVT_PDU_RECV, handle_pdu),
        (evt.EVT_C_FIND, handle_find, [settings, database]),
    ]


def handle_pdu(event: Event) -> None:
    """End an association whose peer sends requests faster than it waits for their answers."""
    if event.assoc.dimse.msg_queue.qsize() > _MOST_WAITING:
        event.assoc.dul.event_queue.put("Evt19")


def handle_find(event: Event, settings: Settings, database: Database) -> _Answers:
    """Answer a C-FIND-RQ: the matches, then the status that ends them."""
    peer = event.assoc.requestor.ae_title.strip()
    try:
        finding = _Finding(event, settings, database)
        status = finding.run()
    except PeerGone as error:
        _log.info("query_broken_off", peer=peer, cause=str(error))
        return
    except NodeError as error:
        _log.warning("query_refused", peer=peer, error=str(error), status=hex(status_of(error)))
        yield _refusal(error), None
        return
    _log.info(
        "query_answered",
        peer=peer,
        searched=str(finding.identifier.level),
        keys=sorted(finding.identifier.matches),
        matches=finding.told,
        status=hex(status),
    )
    if status is not Status.SUCCESS:
        yield int(status), None


class _Finding:
    """One request."""

    def __init__(self, event: Event, settings: Settings, database: Database) -> None:
        request = event.request
        assert isinstance(request, C_FIND)  # noqa: S101 - the event's own kind
        self._event, self._settings, self._database = event, settings, database
        self._request = request
        levels = _LEVELS[str(event.context.abstract_syntax)]
        self.identifier: Identifier = read_identifier(
            request.Identifier, event.context.transfer_syntax, levels
        )
        if settings.query_strict:
            _check_hierarchy(self.identifier, levels)
        self.told = 0

    def run(self) -> Status:
        """Send the matches; return the status that ends them."""
        with self._turn():
            found = find(self._database, self._query())
            self._record(found)
        try:
            if not self._send(found):
                return Status.CANCEL
        finally:
            # Sending may have taken longer than the peer may be silent.
            restart_idle_timer(self._event.assoc)
        return Status.MATCHES_CUT if found.is_cut else Status.SUCCESS

    def _record(self, found: Found) -> None:
        model = str(self._event.context.abstract_syntax)
        record_query(self._database, self._event.assoc, found, model)

    @contextmanager
    def _turn(self) -> Generator[None]:
        """Wait until there are few who search."""
        association = self._event.assoc
        while not _SEARCHES.acquire(timeout=_LOOK_SECONDS):
            if not association.is_established:
                raise PeerGone("the association ended")
            # The peer is silent because it waits for us.
            restart_idle_timer(association)
        try:
            yield
        finally:
            _SEARCHES.release()

    def _query(self) -> Query:
        return Query(
            level=self.identifier.level,
            matches=self.identifier.matches,
            asked=self.identifier.keywords,
            maximum=self._settings.query_maximum_matches,
        )

    def _send(self, found: Found) -> bool:
        """Return False where the peer cancelled before the end."""
        syntax = encoding_of(str(self._event.context.transfer_syntax))
        answering = Answering(self.identifier, syntax, self._settings.ae_title)
        stream = AnswerStream(self._event.assoc, self._event.context.context_id)
        command = self._command()
        for page in found.pages():
            for record in page:
                if stream.add(command, answering.encode(record)) and self._event.is_cancelled:
                    return False
                self.told += 1
            if self._event.is_cancelled:
                return False
        stream.flush()
        return True

    def _command(self) -> bytes:
        is_partly = self.identifier.has_unsupported
        status = Status.PENDING_WITH_UNSUPPORTED_KEYS if is_partly else Status.PENDING
        sop_class_uid = str(self._request.AffectedSOPClassUID)
        return match_response(sop_class_uid, self._request.MessageID or 0, status)


def _check_hierarchy(identifier: Identifier, levels: tuple[Level, ...]) -> None:
    """Refuse a query that does not name exactly one of each level above (PS3.4 C.4.1.2.2.1)."""
    query = Query(identifier.level, identifier.matches)
    for level in levels:
        if level.depth < identifier.level.depth and not query.names_one(level):
            raise IdentifierMismatch(f"The unique key of the level {level} is missing")


def _refusal(error: NodeError) -> Dataset:
    refusal = answer(status_of(error), comment_of(error))
    if isinstance(error, MatchingKeyInvalid):
        refusal.OffendingElement = [Tag(error.keyword)]
    return refusal

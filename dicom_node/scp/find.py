"""Query service, C-FIND (PS3.4 C.4.1): the DIMSE door to what is kept."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Final

from pydicom.tag import Tag
from pydicom.uid import UID
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)

from core.database import Database
from core.errors import NodeError
from core.logs import get_logger, place_of
from core.settings import Settings
from core.values.audit import Actor
from dicom_node.audited import PEER, record_query
from dicom_node.errors import IdentifierMismatch, IdentifierTooLarge, MatchingKeyInvalid
from dicom_node.receive.answers import Answers
from dicom_node.receive.commands import find_response, match_response
from dicom_node.receive.connection import Interrupted
from dicom_node.receive.find_receiver import Query as Request
from dicom_node.receive.find_receiver import QueryServices
from dicom_node.receive.pdu import MalformedPDU
from dicom_node.scp.find_response import Answering
from dicom_node.scp.identifier import Identifier, read_identifier
from dicom_node.scp.transfer_syntaxes import SMALL_MESSAGES
from dicom_node.statuses import Status, comment_of, status_of
from dicom_node.storage.encoding import encoding_of
from dicom_node.storage.query.finding import Found, find
from dicom_node.storage.query.level import Level
from dicom_node.storage.query.query import Query

#: The levels of each information model (PS3.4 C.6.1, C.6.2).
_LEVELS: Final[dict[str, tuple[Level, ...]]] = {
    str(PatientRootQueryRetrieveInformationModelFind): tuple(Level),
    str(StudyRootQueryRetrieveInformationModelFind): tuple(Level)[1:],
}
#: Searches of one process at a time: each holds a connection to the database, of which those who
#: store need theirs. Answers are read in short pieces.
_SEARCHES: Final = threading.BoundedSemaphore(4)
_LOOK_SECONDS: Final = 0.5

_log = get_logger(__name__)


def add_find(entity: AE) -> None:
    """Let an application entity accept queries."""
    for sop_class_uid in _LEVELS:
        entity.add_supported_context(sop_class_uid, SMALL_MESSAGES)


def query_services(settings: Settings, database: Database) -> QueryServices:
    """Return what answers the queries of an association, by information model."""
    return dict.fromkeys(_LEVELS, partial(answer_query, settings, database))


def answer_query(settings: Settings, database: Database, query: Request, answers: Answers) -> None:
    """Answer a C-FIND-RQ: the matches, then the status that ends them.

    Raises
    ------
    PeerGone, Interrupted
        If the peer left, or the association must end.
    MalformedPDU
        If what the peer sends meanwhile is none.
    """
    peer = query.calling_ae_title
    try:
        finding = _Finding(settings, database, query, answers)
        status = finding.run()
    except NodeError as error:
        _log.warning("query_refused", peer=peer, error=str(error), status=hex(status_of(error)))
        last = _refusal(query, error)
    except (OSError, Interrupted, MalformedPDU):
        raise
    # The last frame of ours on this thread: whatever passes it would be logged with its message,
    # which may hold a patient's name. The place is logged instead.
    except Exception as error:  # noqa: BLE001
        place = place_of(error.__traceback__)
        _log.error("query_failed", peer=peer, error=type(error).__name__, place=place)
        comment = "Internal error; see the receiver's log"
        last = find_response(query.request, Status.PROCESSING_FAILURE, comment)
    else:
        _log.info("query_answered", peer=peer, **finding.summary, status=hex(status))
        last = find_response(query.request, status)
    answers.add(last)
    answers.flush()


class _Finding:
    """One request."""

    def __init__(
        self, settings: Settings, database: Database, query: Request, answers: Answers
    ) -> None:
        self._settings, self._database = settings, database
        self._request, self._answers = query.request, answers
        if query.is_too_large:
            raise IdentifierTooLarge
        self._actor = Actor(query.calling_ae_title, PEER, query.address)
        self._sop_class_uid = query.context.sop_class_uid
        levels = _LEVELS[query.context.sop_class_uid]
        syntax = UID(query.context.transfer_syntax_uid)
        self._encoding = encoding_of(syntax)
        self._identifier: Identifier = read_identifier(query.identifier, syntax, levels)
        if settings.query_strict:
            _check_hierarchy(self._identifier, levels)
        self._told = 0

    @property
    def summary(self) -> dict[str, object]:
        """What was searched by which keys, and how many matches were told."""
        return {
            "searched": str(self._identifier.level),
            "keys": sorted(self._identifier.matches),
            "matches": self._told,
        }

    def run(self) -> Status:
        """Send the matches; return the status that ends them."""
        with self._turn() as is_ours:
            if not is_ours:
                return Status.CANCEL
            found = find(self._database, self._query())
            record_query(self._database, self._actor, found, self._sop_class_uid)
        if not self._send(found):
            return Status.CANCEL
        return Status.MATCHES_CUT if found.is_cut else Status.SUCCESS

    @contextmanager
    def _turn(self) -> Generator[bool]:
        """Wait until there are few who search; false where the peer took its request back."""
        while not _SEARCHES.acquire(timeout=_LOOK_SECONDS):
            if self._answers.is_cancelled():
                yield False
                return
        try:
            yield True
        finally:
            _SEARCHES.release()

    def _query(self) -> Query:
        return Query(
            level=self._identifier.level,
            matches=self._identifier.matches,
            asked=self._identifier.keywords,
            maximum=self._settings.query_maximum_matches,
        )

    def _send(self, found: Found) -> bool:
        """Return False where the peer cancelled before the end."""
        answering = Answering(self._identifier, self._encoding, self._settings.ae_title)
        command = self._command()
        for page in found.pages():
            for record in page:
                is_sent = self._answers.add(command, answering.encode(record))
                self._told += 1
                if is_sent and self._answers.is_cancelled():
                    return False
            if self._answers.is_cancelled():
                return False
        return True

    def _command(self) -> bytes:
        is_partly = self._identifier.has_unsupported
        status = Status.PENDING_WITH_UNSUPPORTED_KEYS if is_partly else Status.PENDING
        return match_response(self._request, status)


def _check_hierarchy(identifier: Identifier, levels: tuple[Level, ...]) -> None:
    """Refuse a query that does not name exactly one of each level above (PS3.4 C.4.1.2.2.1)."""
    query = Query(identifier.level, identifier.matches)
    for level in levels:
        if level.depth < identifier.level.depth and not query.names_one(level):
            raise IdentifierMismatch(f"The unique key of the level {level} is missing")


def _refusal(query: Request, error: NodeError) -> bytes:
    offending = int(Tag(error.keyword)) if isinstance(error, MatchingKeyInvalid) else None
    return find_response(query.request, status_of(error), comment_of(error), offending)

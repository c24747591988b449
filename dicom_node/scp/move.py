"""C-MOVE SCP (PS3.4 C.4.2): the instances go to a peer we know, on an association of our own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from pynetdicom import build_context
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_MOVE
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext

from core.calling_tls import CallingTLS
from core.errors import NodeError, RecordNotFound
from core.logs import get_logger
from core.tls import CertificateUnusable
from dicom_node.audited import record_retrieval
from dicom_node.calling_errors import AssociationRejected, PeerUnreachable
from dicom_node.errors import DestinationUnknown
from dicom_node.outlet import Outlet
from dicom_node.peers import PeerAddress, address_of
from dicom_node.scp.retrieval import Retrieval
from dicom_node.scp.retrieve_identifier import read_selection
from dicom_node.scu.association import MAXIMUM_CONTEXTS, associate
from dicom_node.statuses import comment_of
from dicom_node.storage.archive import Archive
from dicom_node.storage.selection import Selected, Selection, check_patient
from dicom_node.storage.uncompressed import UNCOMPRESSED, Uncompressing
from dicom_node.sub_operation import Originator, Outcome, SubOperations

#: SOP class and transfer syntax.
_Encoding = tuple[str, str]

_log = get_logger(__name__)


@dataclass(frozen=True)
class Mover:
    """What a C-MOVE needs beside the request.

    Attributes
    ----------
    ae_title
        Ours, by which the destination is called.
    """

    archive: Archive
    uncompressing: Uncompressing
    ae_title: str
    tls: CallingTLS


def handle_move(event: Event, mover: Mover) -> None:
    """Serve a C-MOVE-RQ, to its final response."""
    retrieval = Retrieval(event)
    database = mover.archive.database
    try:
        destination = _destination(event, mover)
        selection = read_selection(event)
        check_patient(selection, database)
        encodings = selection.encodings(database)
        retrieval.begin(sum(encodings.values()))
        record_retrieval(
            database, event.assoc, "C-MOVE", selection, retrieval.remaining, destination.ae_title
        )
        comment = _Moving(retrieval, mover, destination).run(selection, sorted(encodings))
    except NodeError as error:
        retrieval.refuse(error)
        return
    retrieval.end(comment)


def _destination(event: Event, mover: Mover) -> PeerAddress:
    request, requestor = event.request, event.assoc.requestor
    assert isinstance(request, C_MOVE)  # noqa: S101 - the event's own kind
    ae_title = (request.MoveDestination or "").strip()
    # A peer known by a network may have them sent to where it calls from, nowhere else.
    address = requestor.address or "" if ae_title == requestor.ae_title.strip() else ""
    try:
        with mover.archive.database.reading() as session:
            return address_of(session, ae_title, address)
    except RecordNotFound as error:
        raise DestinationUnknown from error


class _Moving:
    """The sub-operations of one C-MOVE."""

    def __init__(self, retrieval: Retrieval, mover: Mover, destination: PeerAddress) -> None:
        self._retrieval = retrieval
        self._mover = mover
        self._destination = destination

    def run(self, selection: Selection, encodings: Sequence[_Encoding]) -> str:
        """Send everything; return why nothing more could be sent, empty where all was tried."""
        comment = ""
        for group in group_encodings(encodings):
            instances = (
                selected
                for selected in selection.instances(self._mover.archive.database)
                if (selected.sop_class_uid, selected.transfer_syntax_uid) in group
            )
            comment = self._send(instances, group) or comment
        return comment

    def _send(self, instances: Iterator[Selected], group: Sequence[_Encoding]) -> str:
        following = next(instances, None)
        while following is not None and not self._retrieval.must_stop:
            try:
                with associate(
                    self._destination,
                    self._mover.ae_title,
                    contexts_for(group),
                    tls=self._mover.tls,
                ) as association:
                    # A peer that aborts on one instance is asked again for the next ones.
                    following = self._send_on(association, following, instances)
            except (PeerUnreachable, AssociationRejected, CertificateUnusable) as error:
                _log.warning("move_broken_off", peer=self._retrieval.peer, error=str(error))
                self._fail(following, instances)
                return comment_of(error)
        return ""

    def _send_on(
        self, association: Association, first: Selected, others: Iterator[Selected]
    ) -> Selected | None:
        """Send on one association; return what comes next where it ended before all was sent."""
        mover, retrieval = self._mover, self._retrieval
        request = retrieval.event.request
        assert isinstance(request, C_MOVE)  # noqa: S101 - the event's own kind
        originator = Originator(retrieval.peer, request.MessageID or 0)
        contexts = association.accepted_contexts
        with Outlet(association) as outlet:
            stores = SubOperations(
                association,
                outlet,
                contexts,
                mover.archive.storage,
                mover.uncompressing,
                originator,
            )
            for selected in chain([first], others):
                if retrieval.must_stop:
                    return None
                try:
                    outcome = stores.store(selected)
                except PeerUnreachable:
                    retrieval.count(selected, Outcome.FAILED)
                    return next(others, None)
                retrieval.count(selected, outcome)
        return None

    def _fail(self, following: Selected | None, others: Iterator[Selected]) -> None:
        """Count what cannot be sent: who asked is told of each."""
        for selected in chain([following] if following else [], others):
            self._retrieval.fail(selected)


def group_encodings(encodings: Sequence[_Encoding]) -> Iterator[Sequence[_Encoding]]:
    """Split encodings so that the contexts of each group fit into one association.

    Each takes two at most: its own, and a plain one.
    """
    each = MAXIMUM_CONTEXTS // 2
    for start in range(0, len(encodings), each):
        yield encodings[start : start + each]


def contexts_for(encodings: Sequence[_Encoding]) -> list[PresentationContext]:
    """Return contexts that let a peer take objects as they are, and others for a plain encoding."""
    own = [build_context(*encoding) for encoding in encodings if encoding[1] not in UNCOMPRESSED]
    classes = dict.fromkeys(sop_class for sop_class, _ in encodings)
    # One each: of several in one, a peer chooses which it likes better, not which we hold.
    plain = [build_context(sop_class, syntax) for sop_class in classes for syntax in UNCOMPRESSED]
    room = MAXIMUM_CONTEXTS - len(own)
    if len(plain) > room:
        plain = [build_context(sop_class, list(UNCOMPRESSED)) for sop_class in classes]
    return own + plain

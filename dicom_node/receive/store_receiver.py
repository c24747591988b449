"""Serves the C-STORE requests of one association, fragment by fragment, in bounded memory.

It knows nothing of pynetdicom: what is no C-STORE it hands back as it came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from core.errors import NodeError
from core.logs import get_logger, place_of
from core.pace import Pace
from dicom_node.errors import InstanceRefused
from dicom_node.receive.commands import (
    StoreRequest,
    announces_data_set,
    read_store_request,
    store_response,
)
from dicom_node.receive.connection import Connection, ConnectionBroken
from dicom_node.receive.pdu import (
    ENDING_BYTES,
    ENDINGS,
    FRAGMENT_HEADER_BYTES,
    P_DATA_TF,
    PDU_HEADER_BYTES,
    Fragment,
    MalformedPDU,
    PDUHeader,
    fragment_pdu,
    fragments_of,
)
from dicom_node.receive.store_tally import StoreTally
from dicom_node.statuses import Status, comment_of, status_of
from dicom_node.storage.archive import Archive
from dicom_node.storage.incoming import Incoming
from dicom_node.storage.part10 import Announced

#: How long the next request is waited for here, blocked in the kernel, before pynetdicom's own
#: polling takes over.
IDLE_SECONDS: Final = 1.0
#: Command sets have a dozen short elements; one this large is no command.
_LARGEST_COMMAND_BYTES: Final = 1 << 16

_log = get_logger(__name__)


class ProtocolViolated(ValueError):
    """Something came that cannot come now."""


class UnrecognisedPDU(ProtocolViolated):
    """A PDU of a type that the standard does not know came."""


@dataclass(frozen=True)
class AcceptedContext:
    """A presentation context both sides agreed on."""

    sop_class_uid: str
    transfer_syntax_uid: str


@dataclass(frozen=True)
class _Message:
    """A C-STORE whose data set is arriving."""

    context_id: int
    request: StoreRequest
    incoming: Incoming


class StoreReceiver:
    """The requests of one association.

    Parameters
    ----------
    contexts
        The accepted presentation contexts by their ID.
    tally
        Counts what is kept and refused.
    stall_seconds
        Silence in the middle of a message after which the peer is given up; all its silences
        together may be longer only as its length grows.
    """

    def __init__(
        self,
        connection: Connection,
        archive: Archive,
        calling_ae_title: str,
        contexts: Mapping[int, AcceptedContext],
        stall_seconds: float,
        tally: StoreTally | None = None,
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._calling_ae_title = calling_ae_title
        self._contexts = contexts
        self._stall_seconds = stall_seconds
        self._tally = tally or StoreTally()
        self._pace = Pace(stall_seconds)
        self._command: list[Fragment] = []
        self._command_bytes = 0
        self._message: _Message | None = None
        #: Whether the data set of a command that was handed back is arriving.
        self._is_foreign = False

    def serve(self) -> Sequence[bytes]:
        """Serve until a PDU comes that is not ours, or none for a while; return what is not ours.

        Raises
        ------
        Interrupted, ConnectionBroken
            As `Connection.read_pdu`.
        MalformedPDU, ProtocolViolated
            If the peer does not keep to the protocol.
        """
        self._connection.take_over()
        try:
            while (pdu := self._read()) is not None:
                if foreign := self._take(pdu):
                    return foreign
        except BaseException:
            self.abandon()
            raise
        return []

    def abandon(self) -> None:
        """Forget the message in progress; nothing of it is left."""
        if self._message is not None:
            self._message.incoming.discard()
        self._message, self._command, self._command_bytes = None, [], 0

    def _read(self) -> memoryview | None:
        if self._message is None and not self._command and not self._is_foreign:
            self._pace.begin()
            # Between messages one of ours goes out first, its PDUs together.
            return self._connection.read_pdu(IDLE_SECONDS, gives_way=True)
        asked = monotonic()
        pdu = self._connection.read_pdu(min(self._stall_seconds, self._pace.left_seconds))
        if pdu is None:
            raise ConnectionBroken("the peer stalls in the middle of a message, or trickles")
        self._pace.count(len(pdu), monotonic() - asked)
        return pdu

    def _take(self, pdu: memoryview) -> Sequence[bytes]:
        header = PDUHeader.parse(pdu[:PDU_HEADER_BYTES])
        if header.pdu_type != P_DATA_TF:
            _check_ending(header, len(pdu))
            # Of a message it cuts short nothing is left.
            command = [fragment_pdu(fragment) for fragment in self._command]
            self.abandon()
            return [*command, bytes(pdu)]
        foreign: list[bytes] = []
        for fragment in fragments_of(pdu[PDU_HEADER_BYTES:]):
            if self._is_foreign:
                foreign.append(fragment_pdu(fragment))
                self._is_foreign = not fragment.is_last
            elif self._message is not None:
                self._take_data(self._message, fragment)
            else:
                foreign += self._take_command(fragment)
        return foreign

    def _take_command(self, fragment: Fragment) -> Sequence[bytes]:
        """Begin a C-STORE once its command is whole; return the PDUs of any other command."""
        # Kept beyond this PDU, whose memory is used again.
        self._command.append(_copied(fragment))
        self._command_bytes += len(fragment.data) + FRAGMENT_HEADER_BYTES
        if not fragment.is_command or self._command_bytes > _LARGEST_COMMAND_BYTES:
            raise ProtocolViolated("a data set came without a command")
        if not fragment.is_last:
            return []
        parts, self._command, self._command_bytes = self._command, [], 0
        command = b"".join(part.data for part in parts)
        request = read_store_request(command)
        if request is None:
            self._is_foreign = announces_data_set(command)
            return [fragment_pdu(part) for part in parts]
        self._begin(fragment.context_id, request)
        return []

    def _begin(self, context_id: int, request: StoreRequest) -> None:
        context = self._contexts.get(context_id)
        if context is None:
            raise ProtocolViolated("a message came on a context that was not accepted")
        agreed = request.sop_class_uid == context.sop_class_uid
        announced = Announced(
            # A class other than the context's was not negotiated: it is in no accept list.
            sop_class_uid=request.sop_class_uid if agreed else "",
            sop_instance_uid=request.sop_instance_uid,
            transfer_syntax_uid=context.transfer_syntax_uid,
            calling_ae_title=self._calling_ae_title,
        )
        self._message = _Message(context_id, request, Incoming(self._archive, announced))
        if not request.has_data_set:
            self._finish(self._message)

    def _take_data(self, message: _Message, fragment: Fragment) -> None:
        if fragment.is_command or fragment.context_id != message.context_id:
            raise ProtocolViolated("another message began before the data set was whole")
        message.incoming.write(fragment.data)
        if message.incoming.is_without_end:
            raise ProtocolViolated("the data set goes on far beyond what is accepted")
        if fragment.is_last:
            self._finish(message)

    def _finish(self, message: _Message) -> None:
        self._message = None
        status, comment = self._answer(message.incoming)
        self._tally.count(message.incoming.study_found, is_kept=status is Status.SUCCESS)
        response = store_response(message.request, status, comment)
        last = Fragment(message.context_id, is_command=True, is_last=True, data=response)
        self._connection.send(fragment_pdu(last))

    def _answer(self, incoming: Incoming) -> tuple[Status, str]:
        """Return status and comment; Success only when the instance survives a power cut."""
        peer = self._calling_ae_title
        try:
            with incoming:
                incoming.keep()
        except InstanceRefused as error:
            return status_of(error), comment_of(error)
        except NodeError as error:
            _log.warning("store_refused", peer=peer, error=str(error), status=hex(status_of(error)))
            return status_of(error), comment_of(error)
        # The last frame of ours on this thread: whatever passes it would end the association, and
        # be logged with its message, which may hold a patient's name. The place is logged instead.
        except Exception as error:  # noqa: BLE001
            place = place_of(error.__traceback__)
            _log.error("store_failed", peer=peer, error=type(error).__name__, place=place)
            return Status.PROCESSING_FAILURE, "Internal error; see the receiver's log"
        return Status.SUCCESS, ""


def _check_ending(header: PDUHeader, length_bytes: int) -> None:
    """Raise unless it is a release or an abort: of others pynetdicom would log each, unbounded."""
    if not header.is_known:
        raise UnrecognisedPDU("a PDU of a type nobody knows came")
    if header.pdu_type not in ENDINGS:
        raise ProtocolViolated("a PDU came that has no place on an association")
    if length_bytes != ENDING_BYTES:
        raise MalformedPDU("a release or an abort has a wrong length")


def _copied(fragment: Fragment) -> Fragment:
    return Fragment(
        fragment.context_id, fragment.is_command, fragment.is_last, bytes(fragment.data)
    )

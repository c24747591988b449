"""Serves the C-FIND requests of one association on the thread that reads it.

pynetdicom would pass each between two threads that look for work a thousand times a second: that
takes longer than most searches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dicom_node.receive.answers import Answers
from dicom_node.receive.commands import FindRequest, read_find_request
from dicom_node.receive.connection import Connection
from dicom_node.receive.pdu import P_DATA_TF, PDU_HEADER_BYTES, Fragment, fragments_of
from dicom_node.receive.store_receiver import AcceptedContext, ProtocolViolated

#: More than the longest list of UIDs takes; parsed, it takes many times as much.
MAXIMUM_IDENTIFIER_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Query:
    """A C-FIND-RQ with its identifier.

    Attributes
    ----------
    identifier
        Encoded; None where there is none.
    is_too_large
        Whether it is longer than `MAXIMUM_IDENTIFIER_BYTES`; then it is not kept.
    address
        Where the peer calls from.
    """

    calling_ae_title: str
    request: FindRequest
    context: AcceptedContext
    identifier: bytes | None
    is_too_large: bool = False
    address: str = ""


#: Answers a query, to the last response.
AnswerQuery = Callable[[Query, Answers], None]
#: What answers, by SOP Class UID of the information model.
QueryServices = Mapping[str, AnswerQuery]


@dataclass
class _Arriving:
    """A request whose identifier is arriving."""

    context_id: int
    request: FindRequest
    parts: list[bytes] = field(default_factory=list)
    length_bytes: int = 0

    def take(self, data: memoryview | bytes) -> None:
        self.length_bytes += len(data)
        if self.is_too_large:
            self.parts = []
        else:
            self.parts.append(bytes(data))

    @property
    def is_too_large(self) -> bool:
        return self.length_bytes > MAXIMUM_IDENTIFIER_BYTES


class FindReceiver:
    """The queries of one association.

    Parameters
    ----------
    contexts
        The accepted presentation contexts by their ID.
    maximum_pdu_bytes
        The longest PDU the peer takes; 0 where it names no limit.
    services
        What answers, by the SOP class of the context.
    """

    def __init__(
        self,
        connection: Connection,
        calling_ae_title: str,
        contexts: Mapping[int, AcceptedContext],
        maximum_pdu_bytes: int,
        services: QueryServices,
        address: str = "",
    ) -> None:
        self._connection = connection
        self._calling_ae_title = calling_ae_title
        self._contexts = {
            context_id: context
            for context_id, context in contexts.items()
            if context.sop_class_uid in services
        }
        self._maximum_pdu_bytes = maximum_pdu_bytes
        self._services = services
        self._address = address
        self._command: list[bytes] = []
        self._arriving: _Arriving | None = None

    def take(self, pdus: Sequence[bytes]) -> list[bytes]:
        """Answer the queries in what came, one fragment a PDU; return all that is none.

        Raises
        ------
        ProtocolViolated
            If another message begins before an identifier is whole.
        Interrupted, PeerGone
            As `Answers`.
        """
        return [left for pdu in pdus for left in self._take(pdu)]

    def _take(self, pdu: bytes) -> list[bytes]:
        if pdu[0] != P_DATA_TF:
            # A release or an abort: of what it cuts short nothing is left.
            self._arriving = None
            return [*self._put_back(), pdu]
        [fragment] = fragments_of(memoryview(pdu)[PDU_HEADER_BYTES:])
        if self._arriving is not None:
            self._take_identifier(self._arriving, fragment)
            return []
        if not fragment.is_command or fragment.context_id not in self._contexts:
            return [pdu]
        self._command.append(pdu)
        return self._take_command(fragment.context_id) if fragment.is_last else []

    def _take_command(self, context_id: int) -> list[bytes]:
        pdus = self._put_back()
        command = b"".join(
            fragment.data
            for pdu in pdus
            for fragment in fragments_of(memoryview(pdu)[PDU_HEADER_BYTES:])
        )
        request = read_find_request(command)
        if request is None:
            return pdus
        self._arriving = _Arriving(context_id, request)
        if not request.has_identifier:
            self._finish(self._arriving)
        return []

    def _take_identifier(self, arriving: _Arriving, fragment: Fragment) -> None:
        if fragment.is_command or fragment.context_id != arriving.context_id:
            raise ProtocolViolated("another message began before the identifier was whole")
        arriving.take(fragment.data)
        if fragment.is_last:
            self._finish(arriving)

    def _finish(self, arriving: _Arriving) -> None:
        self._arriving = None
        request, context_id = arriving.request, arriving.context_id
        query = Query(
            self._calling_ae_title,
            request,
            self._contexts[context_id],
            b"".join(arriving.parts) if request.has_identifier else None,
            arriving.is_too_large,
            self._address,
        )
        answers = Answers(self._connection, context_id, request.message_id, self._maximum_pdu_bytes)
        self._services[query.context.sop_class_uid](query, answers)

    def _put_back(self) -> list[bytes]:
        pdus, self._command = self._command, []
        return pdus

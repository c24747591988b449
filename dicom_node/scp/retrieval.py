"""One retrieval while it goes on: its counts, and the responses that tell them (PS3.4 C.4.2)."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

from pydicom import Dataset
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.dsutils import encode
from pynetdicom.events import Event

from core.errors import NodeError
from core.logs import get_logger
from dicom_node.errors import TooManyInstances
from dicom_node.statuses import Status, comment_of, status_of
from dicom_node.storage.selection import Selected
from dicom_node.sub_operation import Outcome

#: Counts are US: 16 bits.
_MOST_INSTANCES: Final = 0xFFFF
#: The length of a UI value in explicit VR has 16 bits, too.
_MOST_FAILED_BYTES: Final = 0xFFFE

_log = get_logger(__name__)


@dataclass
class Retrieval:
    """The sub-operations of one request.

    Attributes
    ----------
    remaining
        How many are still to be done.
    """

    event: Event
    remaining: int = 0
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    failed_uids: list[str] = field(default_factory=list)
    _is_cancelled: bool = False

    def begin(self, instances: int) -> None:
        """Set how many there are.

        Raises
        ------
        TooManyInstances
            If they cannot be counted.
        """
        if instances > _MOST_INSTANCES:
            raise TooManyInstances
        self.remaining = instances

    @property
    def must_stop(self) -> bool:
        """Whether the peer takes its request back, or left."""
        return self.is_cancelled or not self.event.assoc.is_established

    @property
    def is_cancelled(self) -> bool:
        """Whether the peer takes its request back."""
        # pynetdicom tells it once.
        self._is_cancelled = self._is_cancelled or bool(self.event.is_cancelled)
        return self._is_cancelled

    def count(self, selected: Selected, outcome: Outcome) -> None:
        """Count a sub-operation that ended, and tell the peer."""
        self._add(selected, outcome)
        self._respond(Status.PENDING, tells_remaining=True)

    def fail(self, selected: Selected) -> None:
        """Count a sub-operation that cannot even begin."""
        self._add(selected, Outcome.FAILED)

    def end(self, comment: str = "") -> None:
        """Send the final response.

        Parameters
        ----------
        comment
            Why nothing could be done, where that is one cause.
        """
        if not self.event.assoc.is_established:
            return
        status = self._status()
        is_cancelled = status is Status.CANCEL
        self._respond(status, tells_remaining=is_cancelled, comment=comment)
        self._log(status)

    def refuse(self, error: NodeError) -> None:
        """Send the final response to a request that is not carried out."""
        status = status_of(error)
        _log.warning("retrieve_refused", peer=self.peer, error=str(error), status=hex(status))
        self._send(status, comment_of(error))

    @property
    def peer(self) -> str:
        """The AE title of who asks."""
        return self.event.assoc.requestor.ae_title.strip()

    def _add(self, selected: Selected, outcome: Outcome) -> None:
        self.remaining = max(0, self.remaining - 1)
        self.counts[outcome] += 1
        if outcome is Outcome.FAILED:
            self.failed_uids.append(selected.sop_instance_uid)

    def _status(self) -> Status:
        if self.is_cancelled and self.remaining:
            return Status.CANCEL
        failed = self.counts[Outcome.FAILED]
        if failed and failed == sum(self.counts.values()):
            return Status.UNABLE_TO_PERFORM_SUB_OPERATIONS
        if failed or self.counts[Outcome.WARNING]:
            return Status.SUB_OPERATIONS_WITH_FAILURES
        return Status.SUCCESS

    def _respond(self, status: Status, *, tells_remaining: bool, comment: str = "") -> None:
        response = self._response(status, comment)
        if tells_remaining:
            response.NumberOfRemainingSuboperations = self.remaining
        response.NumberOfCompletedSuboperations = self.counts[Outcome.COMPLETED]
        response.NumberOfFailedSuboperations = self.counts[Outcome.FAILED]
        response.NumberOfWarningSuboperations = self.counts[Outcome.WARNING]
        if status not in {Status.PENDING, Status.SUCCESS}:
            response.Identifier = self._failed_list()
        self._transmit(response)

    def _send(self, status: Status, comment: str) -> None:
        self._transmit(self._response(status, comment))

    def _response(self, status: Status, comment: str) -> Any:
        request = self.event.request
        assert isinstance(request, C_GET | C_MOVE)  # noqa: S101 - the event's own kinds
        # pynetdicom types some of its attributes by their first value, None.
        response: Any = type(request)()
        response.MessageIDBeingRespondedTo = request.MessageID
        response.AffectedSOPClassUID = request.AffectedSOPClassUID
        response.Status = int(status)
        if comment:
            response.ErrorComment = comment
        return response

    def _transmit(self, response: Any) -> None:
        association = self.event.assoc
        if association.is_established:
            association.dimse.send_msg(response, self.event.context.context_id or 0)

    def _failed_list(self) -> BytesIO:
        listed, length = [], 0
        for uid in self.failed_uids:
            length += len(uid) + 1
            if length > _MOST_FAILED_BYTES:
                break
            listed.append(uid)
        identifier = Dataset()
        identifier.FailedSOPInstanceUIDList = listed
        syntax = self.event.context.transfer_syntax
        encoded = encode(identifier, syntax.is_implicit_VR, syntax.is_little_endian)
        return BytesIO(encoded or b"")

    def _log(self, status: Status) -> None:
        _log.info(
            "retrieve_ended",
            peer=self.peer,
            status=hex(status),
            **{outcome.name.lower(): number for outcome, number in self.counts.items()},
        )

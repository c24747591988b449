"""Storage Commitment Push Model SCP (PS3.4 annex J): the DIMSE door to what we promise to keep.

A request is answered Success once it is recorded with its job. The job reports on an association
of our own; a peer that listens nowhere is told on the one it asked on, if that can be done quickly.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Final

from pydicom import Dataset
from pynetdicom import AE, evt
from pynetdicom.dimse_messages import N_ACTION_RQ, N_EVENT_REPORT_RQ
from pynetdicom.dimse_primitives import N_ACTION
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]
from sqlalchemy.exc import IntegrityError

from core.clock import utc_now
from core.database import Database
from core.errors import NodeError, RecordNotFound
from core.logs import get_logger
from dicom_node.errors import (
    ActionAttributeMissing,
    ActionTooLarge,
    UnknownAction,
    UnknownActionInstance,
)
from dicom_node.event_report import WELL_KNOWN_INSTANCE_UID
from dicom_node.peers import address_of
from dicom_node.scp.action_answered import EVT_ACTION_ANSWERED, announce_answers
from dicom_node.scp.action_information import MAXIMUM_BYTES, read_action_information
from dicom_node.scp.open_reports import OpenReports
from dicom_node.scp.prompt_report import (
    MAXIMUM_WAITING_INSTANCES,
    handle_answered,
    handle_message,
)
from dicom_node.scp.transfer_syntaxes import SMALL_MESSAGES
from dicom_node.statuses import Status, answer, answer_action_error
from dicom_node.storage.archive import Archive
from dicom_node.storage.commitments import CommitmentRequest, record_request
from dicom_node.storage.encoding import encoding_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Action Type ID (0000,1008) of Request Storage Commitment.
_REQUEST_COMMITMENT: Final = 1
#: The job of such a request stands back until verification and the peer's answer are over.
_STAND_BACK_SECONDS: Final = 90.0

_log = get_logger(__name__)


class CutInformation(BytesIO):
    """Action Information that was too large: it keeps what it has and takes no more."""

    def write(self, fragment: "ReadableBuffer", /) -> int:
        """Drop a fragment."""
        return memoryview(fragment).nbytes


def add_commitment(entity: AE) -> None:
    """Let an application entity accept storage commitment requests, and reports of our own."""
    entity.add_supported_context(
        StorageCommitmentPushModel, SMALL_MESSAGES, scu_role=True, scp_role=True
    )


def commitment_handlers(archive: Archive) -> list[EventHandlerType]:
    """Return what a server binds to serve storage commitment."""
    announce_answers()
    reports = OpenReports()
    return [
        (evt.EVT_PDU_RECV, handle_pdu),
        (evt.EVT_N_ACTION, handle_action, [archive, reports]),
        (EVT_ACTION_ANSWERED, handle_answered, [archive, reports]),
        (evt.EVT_DIMSE_RECV, handle_message, [archive, reports]),
    ]


def handle_pdu(event: Event) -> None:
    """Gather no more of an N-ACTION or report that is arriving than is needed to refuse it."""
    message = event.assoc.dimse.message
    if not isinstance(message, N_ACTION_RQ | N_EVENT_REPORT_RQ) or message.data_set is None:
        return
    if message.data_set.tell() > MAXIMUM_BYTES and not isinstance(message.data_set, CutInformation):
        message.data_set = CutInformation(message.data_set.getvalue())


def handle_action(event: Event, archive: Archive, reports: OpenReports) -> tuple[Dataset, None]:
    """Answer an N-ACTION-RQ; Success only when the request survives a power cut."""
    peer = event.assoc.requestor.ae_title.strip()
    try:
        request = _read_request(event)
        key, is_called_back = _record(archive.database, request)
    except NodeError as error:
        _log.warning("commitment_refused", peer=peer, error=str(error))
        return answer_action_error(error), None
    _log.info(
        "commitment_requested",
        peer=peer,
        transaction_uid=request.transaction_uid,
        instances=len(request.instances),
    )
    if not is_called_back and len(request.instances) <= MAXIMUM_WAITING_INSTANCES:
        reports.expect(event.assoc, key)
    return answer(Status.SUCCESS), None


def _read_request(event: Event) -> CommitmentRequest:
    action = event.request
    if not isinstance(action, N_ACTION) or action.ActionTypeID != _REQUEST_COMMITMENT:
        raise UnknownAction
    if action.RequestedSOPInstanceUID != WELL_KNOWN_INSTANCE_UID:
        raise UnknownActionInstance
    information = action.ActionInformation
    if information is None:
        raise ActionAttributeMissing
    if information.getbuffer().nbytes > MAXIMUM_BYTES:
        raise ActionTooLarge
    transaction_uid, instances = read_action_information(
        information.getvalue(), encoding_of(str(event.context.transfer_syntax))
    )
    requestor = event.assoc.requestor
    return CommitmentRequest(
        calling_ae_title=requestor.ae_title.strip(),
        calling_address=requestor.address or "",
        transaction_uid=transaction_uid,
        instances=instances,
    )


def _record(database: Database, request: CommitmentRequest) -> tuple[int, bool]:
    """Record a request; return its key, and whether its peer can be called back."""
    try:
        return _record_once(database, request)
    except IntegrityError:
        # The same Transaction UID came on another association at once, and that one was first.
        return _record_once(database, request)


def _record_once(database: Database, request: CommitmentRequest) -> tuple[int, bool]:
    with database.transaction() as session:
        try:
            address_of(session, request.calling_ae_title, request.calling_address)
            is_called_back = True
        except RecordNotFound:
            is_called_back = False
        delay = 0.0 if is_called_back else _STAND_BACK_SECONDS
        return record_request(session, request, utc_now(), delay), is_called_back

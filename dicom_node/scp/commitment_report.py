"""Storage Commitment in the role of SCU: what peers report of objects we sent (PS3.4 J.3.3).

A report comes on the association we asked on, or on one that the peer opens to our receiver.
"""

from typing import Final

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.events import Event, EventHandlerType

from core.database import Database
from core.deliveries.commitments import settle_commitment
from core.errors import NodeError
from core.logs import get_logger
from dicom_node.errors import (
    ActionAttributeMissing,
    UnknownEvent,
    UnknownTransaction,
)
from dicom_node.event_report import EventType
from dicom_node.scp.event_information import CommitmentReport, read_event_information
from dicom_node.statuses import Status, answer, answer_action_error
from dicom_node.storage.encoding import encoding_of

_EVENT_TYPES: Final = frozenset(EventType)

_log = get_logger(__name__)


def report_handlers(database: Database) -> list[EventHandlerType]:
    """Return what is bound wherever a report may come."""
    return [(evt.EVT_N_EVENT_REPORT, handle_report, [database])]


def handle_report(event: Event, database: Database) -> tuple[Dataset, None]:
    """Answer an N-EVENT-REPORT-RQ; Success only when what it says survives a power cut."""
    peer = event.assoc.remote["ae_title"].strip()
    try:
        report = _read(event)
        with database.transaction() as session:
            known = settle_commitment(
                session, report.transaction_uid, report.committed, report.failed
            )
        if not known:
            raise UnknownTransaction
    except NodeError as error:
        _log.warning("commitment_report_refused", peer=peer, error=str(error))
        return answer_action_error(error), None
    _log.info(
        "commitment_heard",
        peer=peer,
        transaction_uid=report.transaction_uid,
        committed=len(report.committed),
        failed=len(report.failed),
    )
    return answer(Status.SUCCESS), None


def _read(event: Event) -> CommitmentReport:
    request = event.request
    if not isinstance(request, N_EVENT_REPORT) or request.EventTypeID not in _EVENT_TYPES:
        raise UnknownEvent
    if request.EventInformation is None:
        raise ActionAttributeMissing
    encoding = encoding_of(str(event.context.transfer_syntax))
    return read_event_information(request.EventInformation.getvalue(), encoding)

"""Storage Commitment reported on the association of the request (PS3.4 J.3.3).

For peers that listen nowhere. The report goes out between two messages of the association's own
thread, and nothing waits for its answer there: a device may go on storing meanwhile.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from time import monotonic
from typing import Final

from pynetdicom.association import Association
from pynetdicom.dimse_messages import N_EVENT_REPORT_RQ, N_EVENT_REPORT_RSP
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.presentation import PresentationContextTuple
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from core.clock import utc_now
from core.errors import NodeError
from core.logs import get_logger
from dicom_node.event_report import (
    WELL_KNOWN_INSTANCE_UID,
    build_event_information,
    event_type_of,
)
from dicom_node.scp.open_reports import OpenReports, SentReport
from dicom_node.statuses import Status
from dicom_node.storage.archive import Archive
from dicom_node.storage.commitments import load_request, settle_request
from dicom_node.storage.verification import CommitmentResult, verify

#: What is verified while its association waits: so many instances, for so long.
MAXIMUM_WAITING_INSTANCES: Final = 200
WAITING_SECONDS: Final = 10.0

#: A presentation data value: its presentation context ID, then its header and content.
Fragment = tuple[int, bytes]

_log = get_logger(__name__)


class VerificationTooSlow(NodeError):
    """The instances could not be verified while the association waits."""


def handle_answered(event: Event, archive: Archive, reports: OpenReports) -> None:
    """Report on the association of a request what its peer can hear of nowhere else."""
    for key in reports.take_due(event.assoc):
        try:
            result = _verify_quickly(archive, key)
        except NodeError as error:
            _log.warning("commitment_not_verified", commitment=key, error=str(error))
            continue
        message_id = reports.add_sent(event.assoc, SentReport(key, len(result.failed)))
        _send(event.assoc, event.context, message_id, result)


def handle_message(event: Event, archive: Archive, reports: OpenReports) -> None:
    """Record that the peer took an event report; where it did not, the job will tell."""
    if not isinstance(event.message, N_EVENT_REPORT_RSP):
        return
    command = event.message.command_set
    report = reports.take_sent(event.assoc, command.get("MessageIDBeingRespondedTo", 0))
    if report is None:
        return
    status = command.get("Status")
    _log.info("commitment_reported", commitment=report.request_key, status=status)
    if status != Status.SUCCESS:
        return
    try:
        with archive.database.transaction() as session:
            settle_request(session, report.request_key, utc_now(), report.failed_count)
    except NodeError as error:
        _log.error("commitment_not_settled", commitment=report.request_key, error=str(error))


def _verify_quickly(archive: Archive, key: int) -> CommitmentResult:
    deadline = monotonic() + WAITING_SECONDS

    def beat() -> None:
        if monotonic() > deadline:
            raise VerificationTooSlow

    with archive.database.reading() as session:
        request = load_request(session, key)
    return verify(archive.database, archive.storage, request, beat)


def _send(
    association: Association,
    context: PresentationContextTuple,
    message_id: int,
    result: CommitmentResult,
) -> None:
    """Send an event report and go on: its answer comes among the peer's other messages.

    pynetdicom's own way waits for it, and takes whatever comes first for it: a peer that stores its
    next instance meanwhile would be aborted.
    """
    syntax = context.transfer_syntax
    encoded = encode(
        build_event_information(result), syntax.is_implicit_VR, syntax.is_little_endian
    )
    request = N_EVENT_REPORT()
    request.MessageID = message_id
    request.AffectedSOPClassUID = StorageCommitmentPushModel
    request.AffectedSOPInstanceUID = WELL_KNOWN_INSTANCE_UID
    request.EventTypeID = int(event_type_of(result))
    request.EventInformation = BytesIO(encoded or b"")
    message = N_EVENT_REPORT_RQ()
    message.primitive_to_message(request)
    maximum_bytes = association.dimse.maximum_pdu_size
    fragments = [
        fragment
        for data in message.encode_msg(context.context_id, maximum_bytes)
        for fragment in data.presentation_data_value_list
    ]
    for group in pack(fragments, maximum_bytes):
        data = P_DATA()
        data.presentation_data_value_list.extend(group)
        association.dul.send_pdu(data)


def pack(fragments: Iterable[Fragment], maximum_bytes: int) -> Iterator[list[Fragment]]:
    """Group the fragments of a message so that each group is one PDU of at most that size.

    pynetdicom sends a PDU for each. A report that is one PDU stays whole, whoever else sends on
    the association meanwhile.

    Parameters
    ----------
    maximum_bytes
        What the peer receives at a time; 0 for any size.
    """
    group: list[Fragment] = []
    size = 0
    for fragment in fragments:
        # Length and presentation context ID stand before each (PS3.8 table 9-23).
        added = 5 + len(fragment[1])
        if group and maximum_bytes and size + added > maximum_bytes:
            yield group
            group, size = [], 0
        group.append(fragment)
        size += added
    if group:
        yield group

"""Storage Commitment reported on an association we open, in the role of SCP (PS3.4 J.3.3)."""

from typing import Final

from pynetdicom import build_role
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from core.calling_tls import CallingTLS
from dicom_node.calling_errors import (
    AssociationRejected,
    PeerUnreachable,
    ReportRefused,
)
from dicom_node.event_report import (
    WELL_KNOWN_INSTANCE_UID,
    build_event_information,
    commitment_contexts,
    event_type_of,
)
from dicom_node.peers import PeerAddress
from dicom_node.scu.association import (
    ACSE_TIMEOUT_SECONDS,
    CONNECTION_TIMEOUT_SECONDS,
    accepts_nothing,
    associate,
)
from dicom_node.statuses import Status
from dicom_node.storage.verification import CommitmentResult

#: How long a peer may take to answer the report.
ANSWER_SECONDS: Final = 30.0
#: All that a report can take: the connection, the association, the answer and its release.
LONGEST_REPORT_SECONDS: Final = (
    CONNECTION_TIMEOUT_SECONDS + 2 * ACSE_TIMEOUT_SECONDS + ANSWER_SECONDS
)


def report_commitment(
    peer: PeerAddress,
    calling_ae_title: str,
    result: CommitmentResult,
    tls: CallingTLS | None = None,
) -> None:
    """Tell a peer what we commit to keeping; when this returns, it said that it heard.

    A peer that accepts the class but is silent about roles is told all the same: many of those who
    expect reports do not know role selection.

    Raises
    ------
    PeerUnreachable
        If nobody answers at that address.
    AssociationRejected
        If the peer does not let us in, or not for Storage Commitment.
    ReportRefused
        If the peer does not answer the report, or not with Success.
    """
    contexts = commitment_contexts()
    roles = [build_role(StorageCommitmentPushModel, scp_role=True)]
    with associate(peer, calling_ae_title, contexts, roles, tls) as association:
        if accepts_nothing(association):
            raise AssociationRejected(f"{peer} does not accept Storage Commitment reports")
        association.dimse_timeout = ANSWER_SECONDS
        try:
            answer, _ = association.send_n_event_report(
                build_event_information(result),
                event_type_of(result),
                StorageCommitmentPushModel,
                WELL_KNOWN_INSTANCE_UID,
            )
        except RuntimeError as error:
            # What pynetdicom raises on an association that ended meanwhile.
            raise PeerUnreachable(f"{peer} ended the association before the report") from error
    _check(answer.get("Status"), peer)


def _check(status: int | None, peer: PeerAddress) -> None:
    if status is None:
        raise ReportRefused(f"{peer} did not answer the storage commitment report")
    if status != Status.SUCCESS:
        raise ReportRefused(f"{peer} answered the storage commitment report with 0x{status:04X}")

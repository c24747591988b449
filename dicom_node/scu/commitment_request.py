"""Storage Commitment asked for, in the role of SCU (PS3.4 J.3.2)."""

from collections.abc import Callable, Sequence

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import build_role
from pynetdicom.events import EventHandlerType
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from core.calling_tls import CallingTLS
from dicom_node.calling_errors import CommitmentNotOffered, PeerUnreachable
from dicom_node.event_report import WELL_KNOWN_INSTANCE_UID, commitment_contexts, reference_to
from dicom_node.peers import PeerAddress
from dicom_node.scu.association import accepts_nothing, associate
from dicom_node.statuses import Status
from dicom_node.storage.commitments import InstanceReference

_REQUEST_COMMITMENT = 1


def request_commitment(
    peer: PeerAddress,
    calling_ae_title: str,
    transaction_uid: str,
    instances: Sequence[InstanceReference],
    linger: Callable[[], None],
    handlers: Sequence[EventHandlerType],
    patience_seconds: float,
    tls: CallingTLS | None = None,
) -> None:
    """Ask a peer to commit to keeping instances.

    Parameters
    ----------
    linger
        Called once the peer took the request, and before the association ends: it may report there.
    handlers
        Of what happens on the association, a report among it.

    Raises
    ------
    PeerUnreachable, AssociationRejected
        If there is no association to ask on, or it ended before an answer.
    CommitmentNotOffered
        If the peer does not take such requests, or not this one.
    """
    contexts = commitment_contexts()
    roles = [build_role(StorageCommitmentPushModel, scu_role=True)]
    with associate(
        peer, calling_ae_title, contexts, roles, tls, handlers, patience_seconds
    ) as association:
        if accepts_nothing(association):
            raise CommitmentNotOffered(f"{peer} does not accept Storage Commitment")
        try:
            response, _ = association.send_n_action(
                _build_information(transaction_uid, instances),
                _REQUEST_COMMITMENT,
                StorageCommitmentPushModel,
                WELL_KNOWN_INSTANCE_UID,
            )
        except RuntimeError as error:
            # What pynetdicom raises on an association that ended meanwhile.
            raise PeerUnreachable(f"{peer} ended the association before the request") from error
        _check(response.get("Status"), peer)
        linger()


def _build_information(transaction_uid: str, instances: Sequence[InstanceReference]) -> Dataset:
    information = Dataset()
    information.TransactionUID = UID(transaction_uid)
    information.ReferencedSOPSequence = [reference_to(instance) for instance in instances]
    return information


def _check(status: int | None, peer: PeerAddress) -> None:
    if status is None:
        raise PeerUnreachable(f"{peer} did not answer the request for storage commitment")
    if status != Status.SUCCESS:
        raise CommitmentNotOffered(
            f"{peer} answered the request for storage commitment with 0x{status:04X}"
        )

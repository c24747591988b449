"""Verification SCU (PS3.4 annex A)."""

from time import perf_counter

from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from core.calling_tls import CallingTLS
from dicom_node.calling_errors import AssociationRejected, PeerUnreachable
from dicom_node.peers import PeerAddress
from dicom_node.scu.association import DIMSE_TIMEOUT_SECONDS, accepts_nothing, associate
from dicom_node.statuses import Status


def echo_contexts() -> list[PresentationContext]:
    """Return what we propose to ask whether a peer is there."""
    return [build_context(Verification)]


def echo(
    peer: PeerAddress,
    calling_ae_title: str,
    tls: CallingTLS | None = None,
    patience_seconds: float = DIMSE_TIMEOUT_SECONDS,
) -> float:
    """Ask a peer whether it is there; return the seconds its answer took.

    Parameters
    ----------
    patience_seconds
        How long it may take to answer anything.

    Raises
    ------
    PeerUnreachable
        If nobody answers, or not with Success.
    AssociationRejected
        If the peer does not let us in, or not for Verification.
    """
    patient = associate(
        peer, calling_ae_title, echo_contexts(), tls=tls, patience_seconds=patience_seconds
    )
    with patient as association:
        if accepts_nothing(association):
            raise AssociationRejected(f"{peer} does not accept Verification")
        start = perf_counter()
        status = association.send_c_echo()
        if status.get("Status") != Status.SUCCESS:
            raise PeerUnreachable(f"{peer} did not answer the C-ECHO with Success")
        return perf_counter() - start

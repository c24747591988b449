"""An association we ask for, with its failures named."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.events import EventHandlerType
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext

from core.calling_tls import CallingContext, CallingTLS
from core.tls import CertificateUnusable
from dicom_node.calling_errors import (
    AssociationPutOff,
    AssociationRejected,
    PeerUnreachable,
)
from dicom_node.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_node.peers import PeerAddress
from dicom_node.pynetdicom_settings import configure_pynetdicom
from dicom_node.scu.event_reports import serve_event_reports

CONNECTION_TIMEOUT_SECONDS: Final = 10.0
ACSE_TIMEOUT_SECONDS: Final = 30.0
#: How long a peer may take to answer a store: it may write a volume to a slow disk.
DIMSE_TIMEOUT_SECONDS: Final = 120.0
#: What a presentation context ID, an odd number of one byte, can count (PS3.8 9.3.2.2).
MAXIMUM_CONTEXTS: Final = 128
#: Largest PDU we offer to receive: what comes on a C-GET comes in few.
MAXIMUM_PDU_BYTES: Final = 131_072
#: Result of an A-ASSOCIATE-RJ: rejected-transient (PS3.8 table 9-21).
_TRANSIENT: Final = 2


@contextmanager
def associate(
    peer: PeerAddress,
    calling_ae_title: str,
    contexts: Sequence[PresentationContext],
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    tls: CallingTLS | None = None,
    handlers: Sequence[EventHandlerType] = (),
    patience_seconds: float = DIMSE_TIMEOUT_SECONDS,
) -> Generator[Association]:
    """Open an association and release it at the end.

    It may come without any accepted context: then every request on it is the caller's to report.

    Parameters
    ----------
    roles
        Which roles we propose where they are not the usual ones, by SOP class.
    tls
        How to call a peer that is called over TLS.
    handlers
        Of what happens on the association.
    patience_seconds
        How long the peer may take to answer anything.

    Raises
    ------
    PeerUnreachable
        If nobody answers at that address, or not with a certificate we trust.
    CertificateUnusable
        If the peer is called over TLS and nothing says how.
    AssociationRejected
        If the peer rejects it; AssociationPutOff if it may be asked again.
    """
    context = _context(peer, tls) if peer.tls else None
    association = _application_entity(calling_ae_title, patience_seconds).associate(
        peer.host,
        peer.port,
        contexts=list(contexts),
        ae_title=peer.ae_title,
        ext_neg=list(roles),
        tls_args=(context, peer.host) if context is not None else None,
        evt_handlers=list(handlers),
    )
    _check(association, peer, context.fault if context is not None else "")
    serve_event_reports(association)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def accepts_nothing(association: Association) -> bool:
    """Whether the peer accepted the association, but none of what was proposed on it."""
    return not association.is_established and bool(association.rejected_contexts)


def _application_entity(calling_ae_title: str, patience_seconds: float) -> AE:
    configure_pynetdicom()
    entity = AE(calling_ae_title)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_pdu_size = MAXIMUM_PDU_BYTES
    entity.connection_timeout = min(CONNECTION_TIMEOUT_SECONDS, patience_seconds)
    entity.acse_timeout = min(ACSE_TIMEOUT_SECONDS, patience_seconds)
    entity.dimse_timeout = patience_seconds
    entity.network_timeout = max(DIMSE_TIMEOUT_SECONDS, patience_seconds)
    return entity


def _context(peer: PeerAddress, tls: CallingTLS | None) -> CallingContext:
    if tls is None:
        raise CertificateUnusable(f"{peer} is called over TLS only, and nothing says how")
    return tls.context_for(peer.certificate_sha256)


def _check(association: Association, peer: PeerAddress, fault: str) -> None:
    if association.is_established or accepts_nothing(association):
        return
    if association.is_rejected:
        answer = association.acceptor.primitive
        reason = answer.reason_str if answer is not None else "no reason given"
        is_transient = answer is not None and answer.result == _TRANSIENT
        kind = AssociationPutOff if is_transient else AssociationRejected
        raise kind(f"{peer} rejected the association: {reason}")
    if fault:
        raise PeerUnreachable(f"{peer} cannot be called over TLS: {fault}")
    raise PeerUnreachable(f"{peer} does not answer; check host, port and whether it runs")

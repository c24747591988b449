"""Retrieve SCU by C-GET: the instances come on the association we open (PS3.4 C.4.3)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelGet,
)

from core.calling_tls import CallingTLS
from core.values.audit import Actor
from dicom_node.calling_errors import GetNotAccepted
from dicom_node.peers import PeerAddress
from dicom_node.retrieve.arriving import Arriving
from dicom_node.retrieve.plan import FetchRequest
from dicom_node.retrieve.sub_operations import SubOperations, count
from dicom_node.scp.size_limit import handle_pdu
from dicom_node.scu.association import MAXIMUM_CONTEXTS, associate
from dicom_node.storage.accept_list import ACCEPTED_SOP_CLASSES
from dicom_node.storage.archive import Archive
from dicom_node.store_entries import StoreEntries

#: A context each, as far as there are enough: of several in one the archive takes one, and what it
#: holds in another it must decode, or cannot send.
_TRANSFER_SYNTAXES: Final = (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEG2000Lossless,
    JPEG2000,
    JPEGLosslessSV1,
    JPEGLossless,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    HTJ2KLossless,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
#: Who has something fetched where nobody in particular does.
_OURS: Final = Actor("arcuate", "retrieve")


@dataclass(frozen=True)
class Getting:
    """Fetches by C-GET, one association a request.

    Attributes
    ----------
    calling_ae_title
        Ours.
    actor
        Who has them fetched, for the audit trail.
    """

    peer: PeerAddress
    calling_ae_title: str
    archive: Archive
    tls: CallingTLS
    actor: Actor = _OURS

    def fetch(self, request: FetchRequest) -> SubOperations:
        """Fetch what a request asks for; return the archive's account.

        Raises
        ------
        GetNotAccepted
            If the archive does not offer C-GET.
        PeerUnreachable, AssociationRejected, QueryRefused
            If it cannot be asked, or says no.
        """
        classes = sorted(request.sop_class_uids) or ACCEPTED_SOP_CLASSES
        contexts = get_contexts(classes)
        roles = [build_role(uid, scp_role=True) for uid in classes]
        entries = StoreEntries(self.archive.database, self.actor, "C-GET")
        arriving = Arriving(self.archive, self.peer.ae_title, entries)
        handlers = [*arriving.handlers, (evt.EVT_PDU_RECV, handle_pdu)]
        try:
            with associate(
                self.peer, self.calling_ae_title, contexts, roles, self.tls, handlers
            ) as association:
                self._check(association)
                counts = count(
                    association.send_c_get(
                        request.identifier(), StudyRootQueryRetrieveInformationModelGet
                    ),
                    self.peer,
                )
        finally:
            arriving.abandon()
            entries.write()
        return replace(counts, problems=arriving.problems)

    def _check(self, association: Association) -> None:
        accepted = {str(context.abstract_syntax) for context in association.accepted_contexts}
        if StudyRootQueryRetrieveInformationModelGet not in accepted:
            raise GetNotAccepted(f"{self.peer} does not offer C-GET (Study Root)")


def get_contexts(sop_class_uids: Collection[str]) -> list[PresentationContext]:
    """Return what we propose to fetch instances of these classes on our own association."""
    model = build_context(StudyRootQueryRetrieveInformationModelGet)
    return [model, *storage_contexts(sop_class_uids)]


def storage_contexts(sop_class_uids: Collection[str]) -> Sequence[PresentationContext]:
    """Return contexts for each class: one a transfer syntax, or fewer where there are too few."""
    # One is needed for the request itself.
    each = (MAXIMUM_CONTEXTS - 1) // len(sop_class_uids)
    groups = [
        _TRANSFER_SYNTAXES[start::each] for start in range(min(each, len(_TRANSFER_SYNTAXES)))
    ]
    return [build_context(uid, list(group)) for uid in sop_class_uids for group in groups]

"""Retrieve SCU by C-MOVE: the archive stores into our own receiver (PS3.4 C.4.2)."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Final

from pynetdicom import build_context, evt
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelMove,
)

from core.calling_tls import CallingTLS
from core.database import Database
from dicom_node.calling_errors import AssociationRejected, QueryRefused
from dicom_node.peers import PeerAddress
from dicom_node.retrieve.plan import FetchRequest, kept_of
from dicom_node.retrieve.sub_operations import SubOperations, count
from dicom_node.scp.size_limit import handle_pdu
from dicom_node.scu.association import accepts_nothing, associate

#: Between two answers: some archives give only the last one.
_ANSWER_SECONDS: Final = 3600.0
#: How long instances may go on arriving, each within that time, after the archive has answered.
_LATE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2


def move_contexts() -> list[PresentationContext]:
    """Return what we propose to have an archive send to us."""
    return [build_context(StudyRootQueryRetrieveInformationModelMove)]


@dataclass(frozen=True)
class Moving:
    """Fetches by C-MOVE to `ae_title`, which is ours."""

    peer: PeerAddress
    ae_title: str
    database: Database
    tls: CallingTLS

    def fetch(self, request: FetchRequest) -> SubOperations:
        """Have what a request asks for sent to our receiver; return when it is in the record.

        Raises
        ------
        PeerUnreachable, AssociationRejected, QueryRefused
            If the archive cannot be asked, or says no.
        """
        model = StudyRootQueryRetrieveInformationModelMove
        contexts, bounded = move_contexts(), [(evt.EVT_PDU_RECV, handle_pdu)]
        with associate(
            self.peer, self.ae_title, contexts, tls=self.tls, handlers=bounded
        ) as association:
            if accepts_nothing(association):
                raise AssociationRejected(f"{self.peer} does not offer C-MOVE (Study Root)")
            association.dimse_timeout = _ANSWER_SECONDS
            asked = association.send_c_move(request.identifier(), self.ae_title, model)
            try:
                counts = count(asked, self.peer)
            except QueryRefused as error:
                raise QueryRefused(f"{error}. {self._hint}") from error
        self._wait(request, counts)
        if counts.failed:
            told = f"{self.peer} could not send {counts.failed}. {self._hint}"
            return replace(counts, problems={"": told})
        return counts

    @property
    def _hint(self) -> str:
        return (
            f"Does our receiver run, does {self.peer.ae_title} know where {self.ae_title} listens, "
            f"and may it call us (`arcuate peers callers`)?"
        )

    def _wait(self, request: FetchRequest, counts: SubOperations) -> None:
        """Wait while what was sent still arrives."""
        expected = len(request.instances) - counts.failed
        pause, arrived, since = threading.Event(), -1, time.monotonic()
        while arrived < expected and time.monotonic() - since < _LATE_SECONDS:
            now = len(kept_of(self.database, request.instances))
            if now != arrived:
                arrived, since = now, time.monotonic()
            if arrived < expected:
                pause.wait(_LOOK_SECONDS)

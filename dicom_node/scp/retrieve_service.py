"""The retrieval services of Query/Retrieve (PS3.4 annex C), not served in pynetdicom's own way.

Its own takes a data set in memory for each sub-operation and encodes it anew. Here the handler of
the event does all of it, the responses included.
"""

from collections.abc import Sequence
from typing import Final

from pynetdicom import AE, evt, sop_class
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import ServiceClass
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from dicom_node.scp.transfer_syntaxes import SMALL_MESSAGES

PATIENT_ROOT: Final = frozenset(
    {
        str(PatientRootQueryRetrieveInformationModelGet),
        str(PatientRootQueryRetrieveInformationModelMove),
    }
)
_GET: Final[Sequence[str]] = (
    str(PatientRootQueryRetrieveInformationModelGet),
    str(StudyRootQueryRetrieveInformationModelGet),
)
_MOVE: Final[Sequence[str]] = (
    str(PatientRootQueryRetrieveInformationModelMove),
    str(StudyRootQueryRetrieveInformationModelMove),
)


class RetrieveService(ServiceClass):
    """Hands a request on."""

    def SCP(  # noqa: N802 - pynetdicom's name
        self, req: C_GET | C_MOVE, context: PresentationContext
    ) -> None:
        """Have a request served by the handler that is bound to its event."""
        event = evt.EVT_C_GET if isinstance(req, C_GET) else evt.EVT_C_MOVE
        attributes = {
            "request": req,
            "context": context.as_tuple,
            "_is_cancelled": self.is_cancelled,
        }
        evt.trigger(self.assoc, event, attributes)


def add_retrieve(entity: AE) -> None:
    """Let an application entity accept retrievals. Harmless to repeat."""
    services = sop_class._SERVICE_CLASSES  # noqa: SLF001 - looked at first; there is no other way in
    for uid in (*_GET, *_MOVE):
        services[uid] = RetrieveService
        entity.add_supported_context(uid, SMALL_MESSAGES)

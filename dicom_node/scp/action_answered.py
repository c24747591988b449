"""An event that pynetdicom lacks: the N-ACTION of a storage commitment request has been answered.

Whoever wants to report on the association of the request must not do so before that answer, nor
from another thread: two threads would mix the fragments of their messages. This event comes in the
association's own thread, right after the answer went out.
"""

from typing import Final

from pynetdicom import evt, sop_class
from pynetdicom.dimse_primitives import N_ACTION, N_EVENT_REPORT
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class_n import StorageCommitmentServiceClass
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

#: Carries `context`, the presentation context of the request.
EVT_ACTION_ANSWERED: Final = evt.NotificationEvent(
    "EVT_ACTION_ANSWERED", "A storage commitment request was answered"
)


class AnnouncingService(StorageCommitmentServiceClass):
    """pynetdicom's service, which tells when it has answered."""

    def SCP(  # noqa: N802 - pynetdicom's name
        self, req: N_ACTION | N_EVENT_REPORT, context: PresentationContext
    ) -> None:
        """Serve a request, then announce it."""
        super().SCP(req, context)
        if isinstance(req, N_ACTION) and self.assoc.is_established:
            evt.trigger(self.assoc, EVT_ACTION_ANSWERED, {"context": context.as_tuple})


def announce_answers() -> None:
    """Let this process serve storage commitment by the announcing service. Harmless to repeat."""
    services = sop_class._SERVICE_CLASSES  # noqa: SLF001 - looked at first; there is no other way in
    services[str(StorageCommitmentPushModel)] = AnnouncingService

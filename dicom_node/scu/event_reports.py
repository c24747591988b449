"""Event reports that come on an association we asked for.

pynetdicom serves each in a thread of its own, at whose end it notes that the association's own
thread is running. Where that one is paused just then, for a request or a release of ours, whoever
waits for the pause waits for ever (https://github.com/pydicom/pynetdicom/issues/820). Written for
3.0.4, the version that is pinned; a test fails when its private names change.
"""

from pynetdicom.association import Association
from pynetdicom.dimse_primitives import N_EVENT_REPORT, DimseServiceType
from pynetdicom.sop_class import uid_to_service_class


def serve_event_reports(association: Association) -> None:
    """From now on serve them without a note on what the association's own thread does."""
    serve_others = association._serve_request

    def serve(message: DimseServiceType, context_id: int) -> None:
        if isinstance(message, N_EVENT_REPORT) and message.is_valid_request:
            _serve(association, message, context_id)
        else:
            serve_others(message, context_id)

    association._serve_request = serve  # type: ignore[assignment]


def _serve(association: Association, message: N_EVENT_REPORT, context_id: int) -> None:
    context = association._accepted_cx.get(context_id)
    if association._sent_release:
        return
    if context is None:
        association.abort()
        return
    try:
        uid_to_service_class(str(message.AffectedSOPClassUID))(association).SCP(message, context)
    except NotImplementedError:
        association.abort()

"""The retrieval services of Query/Retrieve (PS3.4 annex C), not served in pynetdicom's own way.

Its own takes a data set in memory for each sub-operation and encodes it anew. Here the handler of
the event does all of it, the responses included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.events import InterventionEvent
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import QueryRetrieveServiceClass
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


_Serve = Callable[[QueryRetrieveServiceClass, Any, PresentationContext], None]


@dataclass(frozen=True)
class WholeService:
    """A handler that serves a request to its final response; pynetdicom has nothing left to do."""

    serve: Callable[..., None]

    def __call__(self, *arguments: Any) -> None:
        """Serve a request."""
        self.serve(*arguments)


def add_retrieve(entity: AE) -> None:
    """Let an application entity accept retrievals. Harmless to repeat."""
    service: Any = QueryRetrieveServiceClass
    service._get_scp, service._move_scp = _get, _move  # noqa: SLF001 - there is no other way in
    for uid in (*_GET, *_MOVE):
        entity.add_supported_context(uid, SMALL_MESSAGES)


def _served(event: InterventionEvent, by_pynetdicom: _Serve) -> _Serve:
    """Return a method that has a request served by its handler, where that serves all of it."""

    def serve(
        service: QueryRetrieveServiceClass, request: C_GET | C_MOVE, context: PresentationContext
    ) -> None:
        handler = service.assoc.get_handlers(event)[0]
        if not isinstance(handler, WholeService):
            by_pynetdicom(service, request, context)
            return
        attributes = {
            "request": request,
            "context": context.as_tuple,
            "_is_cancelled": service.is_cancelled,
        }
        evt.trigger(service.assoc, event, attributes)

    return serve


_get: Final = _served(evt.EVT_C_GET, QueryRetrieveServiceClass._get_scp)  # noqa: SLF001
_move: Final = _served(evt.EVT_C_MOVE, QueryRetrieveServiceClass._move_scp)  # noqa: SLF001

"""The N-CREATE and N-SET of every service that has them: pynetdicom gives each one handler."""

from collections.abc import Callable
from typing import Final

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    InstanceAvailabilityNotification,
    ModalityPerformedProcedureStep,
)
from sqlalchemy.exc import IntegrityError

from core.database import Database
from core.errors import NodeError
from core.logs import get_logger
from dicom_node.errors import NoticeFinal, NoticeKnown, NoticeUnknown
from dicom_node.scp.instance_availability import create_notification
from dicom_node.scp.procedure_step import create_step, set_step
from dicom_node.statuses import Status, answer, answer_action_error

#: Error ID (0000,0903) of a step that may no longer be updated (PS3.4 F.7.2.2.3).
MAY_NO_LONGER_BE_UPDATED: Final = 0xA710

_Record = Callable[[Event, Database], None]
_CREATE: Final[dict[str, _Record]] = {
    str(ModalityPerformedProcedureStep): create_step,
    str(InstanceAvailabilityNotification): create_notification,
}
_SET: Final[dict[str, _Record]] = {str(ModalityPerformedProcedureStep): set_step}

_log = get_logger(__name__)


def notice_handlers(database: Database) -> list[EventHandlerType]:
    """Return what a server binds to take procedure steps and notifications."""
    return [
        (evt.EVT_N_CREATE, handle_create, [database]),
        (evt.EVT_N_SET, handle_set, [database]),
    ]


def handle_create(event: Event, database: Database) -> tuple[Dataset, None]:
    """Answer an N-CREATE-RQ; Success only when what it says survives a power cut."""
    return _answer(event, database, _CREATE), None


def handle_set(event: Event, database: Database) -> tuple[Dataset, None]:
    """Answer an N-SET-RQ."""
    return _answer(event, database, _SET), None


def _answer(event: Event, database: Database, records: dict[str, _Record]) -> Dataset:
    try:
        record = records.get(str(event.context.abstract_syntax))
        if record is None:
            raise NoticeUnknown
        record(event, database)
    except IntegrityError:
        # The same UID came on another association at once, and that one was first.
        return _refuse(event, NoticeKnown())
    except NodeError as error:
        return _refuse(event, error)
    return answer(Status.SUCCESS)


def _refuse(event: Event, error: NodeError) -> Dataset:
    peer = event.assoc.requestor.ae_title.strip()
    _log.warning("notice_refused", peer=peer, error=str(error))
    refusal = answer_action_error(error)
    if isinstance(error, NoticeFinal):
        refusal.ErrorID = MAY_NO_LONGER_BE_UPDATED
    return refusal

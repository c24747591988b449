"""Modality Performed Procedure Step SCP (PS3.4 annex F): a device says when it is done.

Kept of a step is what the roll-up needs: its study, whether it still goes on, and the instances it
names. Everything else a device sends is taken and let go.
"""

from typing import Final

from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.dimse_primitives import N_SET
from pynetdicom.events import Event
from pynetdicom.sop_class import ModalityPerformedProcedureStep  # type: ignore[attr-defined]

from core.clock import utc_now
from core.database import Database
from core.logs import get_logger
from core.tables.study_notices import NoticeKind, NoticeState
from dicom_node.errors import NoticeInvalid, NoticeUnknown
from dicom_node.scp.attribute_list import (
    instances_of,
    optional_items,
    read_attributes,
    read_creation,
    required_items,
    required_text,
    required_uid,
)
from dicom_node.scp.transfer_syntaxes import SMALL_MESSAGES
from dicom_node.storage.study_notices import Notice, add_notice, change_step

_STATES: Final = {
    "IN PROGRESS": NoticeState.IN_PROGRESS,
    "COMPLETED": NoticeState.COMPLETED,
    "DISCONTINUED": NoticeState.DISCONTINUED,
}
_STATUS: Final = "PerformedProcedureStepStatus"
_REFERENCES: Final = (
    "ReferencedImageSequence",
    "ReferencedNonImageCompositeSOPInstanceSequence",
)

_log = get_logger(__name__)


def add_procedure_step(entity: AE) -> None:
    """Let an application entity accept performed procedure steps."""
    entity.add_supported_context(ModalityPerformedProcedureStep, SMALL_MESSAGES)


def create_step(event: Event, database: Database) -> None:
    """Record a procedure step that begins.

    Raises
    ------
    NoticeRefused
        If something is missing or wrong, or the step is known.
    """
    uid, attributes = read_creation(event)
    if _read_state(attributes) is not NoticeState.IN_PROGRESS:
        raise NoticeInvalid("A procedure step begins IN PROGRESS")
    scheduled = required_items(attributes, "ScheduledStepAttributesSequence")
    notice = Notice(
        sop_instance_uid=uid,
        kind=NoticeKind.PROCEDURE_STEP,
        state=NoticeState.IN_PROGRESS,
        studies=tuple(required_uid(item, "StudyInstanceUID") for item in scheduled),
        instances=_instances(attributes),
        calling_ae_title=event.assoc.requestor.ae_title.strip(),
    )
    with database.transaction() as session:
        add_notice(session, notice, utc_now())
    _log.info("procedure_step_began", peer=notice.calling_ae_title, step=notice.sop_instance_uid)


def set_step(event: Event, database: Database) -> None:
    """Record how a procedure step goes on, or that it ended.

    Raises
    ------
    NoticeRefused
        If something is wrong, or the step is not this peer's or ended before.
    """
    request = event.request
    assert isinstance(request, N_SET)  # noqa: S101 - the event's own kind
    if request.RequestedSOPInstanceUID is None:
        raise NoticeUnknown
    attributes = read_attributes(request.ModificationList, event.context.transfer_syntax)
    state = _read_state(attributes) if _STATUS in attributes else None
    instances, uid = _instances(attributes), str(request.RequestedSOPInstanceUID)
    peer = event.assoc.requestor.ae_title.strip()
    with database.transaction() as session:
        change_step(session, uid, peer, state, instances, utc_now())
    _log.info("procedure_step_set", peer=peer, step=uid, state=state, instances=len(instances))


def _read_state(attributes: Dataset) -> NoticeState:
    text = required_text(attributes, _STATUS)
    if text not in _STATES:
        raise NoticeInvalid(f"{_STATUS} is none of {', '.join(_STATES)}")
    return _STATES[text]


def _instances(attributes: Dataset) -> tuple[str, ...]:
    return instances_of(optional_items(attributes, "PerformedSeriesSequence"), *_REFERENCES)

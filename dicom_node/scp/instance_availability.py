"""Instance Availability Notification SCP (PS3.4 annex R): another system says what it keeps.

It is taken for the end of a study once all the instances it names are here, too.
"""

from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.events import Event
from pynetdicom.sop_class import InstanceAvailabilityNotification  # type: ignore[attr-defined]

from core.clock import utc_now
from core.database import Database
from core.logs import get_logger
from core.tables.study_notices import NoticeKind, NoticeState
from dicom_node.scp.attribute_list import (
    instances_of,
    read_creation,
    required_items,
    required_uid,
)
from dicom_node.scp.transfer_syntaxes import SMALL_MESSAGES
from dicom_node.storage.study_notices import Notice, add_notice

_log = get_logger(__name__)


def add_instance_availability(entity: AE) -> None:
    """Let an application entity accept instance availability notifications."""
    entity.add_supported_context(InstanceAvailabilityNotification, SMALL_MESSAGES)


def create_notification(event: Event, database: Database) -> None:
    """Record a notification.

    Raises
    ------
    NoticeRefused
        If something is missing or wrong, or the notification is known.
    """
    uid, attributes = read_creation(event)
    notice = Notice(
        sop_instance_uid=uid,
        kind=NoticeKind.INSTANCE_AVAILABILITY,
        state=NoticeState.COMPLETED,
        studies=(required_uid(attributes, "StudyInstanceUID"),),
        instances=_instances(attributes),
        calling_ae_title=event.assoc.requestor.ae_title.strip(),
    )
    with database.transaction() as session:
        add_notice(session, notice, utc_now())
    _log.info("instances_available", peer=notice.calling_ae_title, instances=len(notice.instances))


def _instances(attributes: Dataset) -> tuple[str, ...]:
    series = required_items(attributes, "ReferencedSeriesSequence")
    for item in series:
        required_items(item, "ReferencedSOPSequence")
    return instances_of(series, "ReferencedSOPSequence")

"""The N-EVENT-REPORT of Storage Commitment (PS3.4 J.3.3): what it says and how it is numbered."""

from enum import IntEnum
from typing import Final

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from dicom_node.storage.commitments import InstanceReference
from dicom_node.storage.verification import CommitmentResult

#: The instance every request and report of Storage Commitment Push Model is about.
WELL_KNOWN_INSTANCE_UID: Final = UID("1.2.840.10008.1.20.1.1")


class EventType(IntEnum):
    """Event Type ID (0000,1002)."""

    ALL_COMMITTED = 1
    FAILURES_EXIST = 2


def event_type_of(result: CommitmentResult) -> EventType:
    """Return which event a result is."""
    return EventType.FAILURES_EXIST if result.failed else EventType.ALL_COMMITTED


def build_event_information(result: CommitmentResult) -> Dataset:
    """Return the Event Information of a result (PS3.4 table J.3-2)."""
    information = Dataset()
    information.TransactionUID = UID(result.transaction_uid)
    if result.committed:
        information.ReferencedSOPSequence = [reference_to(i) for i in result.committed]
    if result.failed:
        items = [reference_to(failed.instance) for failed in result.failed]
        for item, failed in zip(items, result.failed, strict=True):
            item.FailureReason = int(failed.reason)
        information.FailedSOPSequence = items
    return information


def reference_to(instance: InstanceReference) -> Dataset:
    """Return the item of a sequence that names an instance."""
    item = Dataset()
    item.ReferencedSOPClassUID = UID(instance.sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(instance.sop_instance_uid)
    return item


def commitment_contexts() -> list[PresentationContext]:
    """Return what we propose to ask for commitment, or to report it; the roles differ."""
    return [build_context(StorageCommitmentPushModel)]

"""Reads the Event Information of a storage commitment report (PS3.4 tables J.3-2 and J.3-3).

As careful as the reader of requests: what a peer sends must neither crash it nor cost more than its
own length.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dicom_node.errors import ActionAttributeMissing, ActionTooLarge
from dicom_node.scp.action_information import (
    MAXIMUM_BYTES,
    MAXIMUM_INSTANCES,
    REFERENCED_SOP_INSTANCE_UID,
    REFERENCED_SOP_SEQUENCE,
    TRANSACTION_UID,
    ReferenceReader,
)
from dicom_node.statuses import FailureReason
from dicom_node.storage.encoding import Encoding

_FAILED_SOP_SEQUENCE: Final = 0x00081198
_FAILURE_REASON: Final = 0x00081197


@dataclass(frozen=True)
class CommitmentReport:
    """What a peer says of instances we asked it to commit to, by SOP Instance UID."""

    transaction_uid: str
    committed: frozenset[str]
    failed: Mapping[str, int]


def read_event_information(data: bytes, encoding: Encoding) -> CommitmentReport:
    """Return what a report says.

    Raises
    ------
    ActionAttributeMissing, ActionValueMissing
        If the Transaction UID, both sequences or a UID of an item are missing or empty.
    ActionInvalid
        If it is no data set, or a UID is malformed.
    ActionTooLarge
        If it names more instances than we ever ask about.
    """
    if len(data) > MAXIMUM_BYTES:
        raise ActionTooLarge
    reader = ReferenceReader(data, encoding)
    elements = reader.elements(0, len(data))
    transaction_uid = reader.uid(elements, TRANSACTION_UID)
    if not {REFERENCED_SOP_SEQUENCE, _FAILED_SOP_SEQUENCE} & elements.keys():
        raise ActionAttributeMissing
    committed = _reasons(reader, elements.get(REFERENCED_SOP_SEQUENCE, (0, 0)))
    failed = _reasons(reader, elements.get(_FAILED_SOP_SEQUENCE, (0, 0)))
    # Whatever a peer says fails, it does not commit to.
    return CommitmentReport(transaction_uid, frozenset(committed.keys() - failed.keys()), failed)


def _reasons(reader: ReferenceReader, place: tuple[int, int]) -> dict[str, int]:
    """Return the instances of a sequence, each with its failure reason."""
    reasons: dict[str, int] = {}
    for number, (start, end) in enumerate(reader.items(*place)):
        if number == MAXIMUM_INSTANCES:
            raise ActionTooLarge
        elements = reader.elements(start, end)
        uid = reader.uid(elements, REFERENCED_SOP_INSTANCE_UID)
        reasons[uid] = reader.unsigned_short(
            elements, _FAILURE_REASON, FailureReason.PROCESSING_FAILURE
        )
    return reasons

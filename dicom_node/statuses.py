"""The DIMSE status each error is answered with, and the comment a device shows its operator."""

from enum import IntEnum
from typing import Final

from pydicom import Dataset

from core.database import DatabaseAway
from core.errors import InfrastructureError, NodeError, RecordNotFound
from dicom_node.errors import (
    ActionAttributeMissing,
    ActionInvalid,
    ActionRefused,
    ActionTooLarge,
    ActionValueMissing,
    BytesRemoved,
    DestinationUnknown,
    FileInvalid,
    FileRefused,
    HierarchyConflict,
    IdentifierMismatch,
    IdentifierRefused,
    IdentifierTooLarge,
    IdentifierUnreadable,
    InstanceConflict,
    InstanceRefused,
    InvalidInstance,
    MatchingKeyInvalid,
    NoticeAttributeMissing,
    NoticeFinal,
    NoticeInvalid,
    NoticeKnown,
    NoticeRefused,
    NoticeTooLarge,
    NoticeUnknown,
    NoticeValueMissing,
    ObjectTooLarge,
    ObjectUnreadable,
    PatientConflict,
    PatientIDMissing,
    PixelsUnreadable,
    RetrieveInvalid,
    SOPMismatch,
    StorageAway,
    StorageFull,
    StudyMismatch,
    TooManyInstances,
    UnknownAction,
    UnknownActionInstance,
    UnknownEvent,
    UnknownTransaction,
    UnsupportedSOPClass,
)

#: Error Comment (0000,0902) is LO: at most 64 characters.
_COMMENT_LENGTH: Final = 64


class Status(IntEnum):
    """Status (0000,0900).

    Storage: PS3.4 B.2.3; query: C.4.1.1.4; retrieval: C.4.2.1.5; general ones: PS3.7 annex C.

    Within Cxxx (cannot understand) the lower digits are ours: they tell an administrator which rule
    refused the object.
    """

    SUCCESS = 0x0000
    PENDING = 0xFF00
    #: Some keys are ones whose values we never know.
    PENDING_WITH_UNSUPPORTED_KEYS = 0xFF01
    CANCEL = 0xFE00
    #: There are more matches than we tell (PS3.4 C.4.1.1.4).
    MATCHES_CUT = 0xB001
    INVALID_ATTRIBUTE_VALUE = 0x0106
    PROCESSING_FAILURE = 0x0110
    DUPLICATE_SOP_INSTANCE = 0x0111
    NO_SUCH_SOP_INSTANCE = 0x0112
    NO_SUCH_EVENT_TYPE = 0x0113
    INVALID_ARGUMENT_VALUE = 0x0115
    MISSING_ATTRIBUTE = 0x0120
    MISSING_ATTRIBUTE_VALUE = 0x0121
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    NO_SUCH_ACTION = 0x0123
    RESOURCE_LIMITATION = 0x0213
    OUT_OF_RESOURCES = 0xA700
    UNABLE_TO_COUNT_MATCHES = 0xA701
    UNABLE_TO_PERFORM_SUB_OPERATIONS = 0xA702
    MOVE_DESTINATION_UNKNOWN = 0xA801
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    SUB_OPERATIONS_WITH_FAILURES = 0xB000
    CANNOT_UNDERSTAND = 0xC000
    INSTANCE_CONFLICT = 0xC101
    PATIENT_CONFLICT = 0xC102
    HIERARCHY_CONFLICT = 0xC103


class FailureReason(IntEnum):
    """Failure Reason (0008,1197) of an instance that is not committed (PS3.3 C.14.1.1)."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119
    REFERENCED_SOP_CLASS_NOT_SUPPORTED = 0x0122
    DUPLICATE_TRANSACTION_UID = 0x0131


#: The nearest class of an error's family decides.
STATUS_OF_ERROR: Final[dict[type[NodeError], Status]] = {
    NodeError: Status.PROCESSING_FAILURE,
    InfrastructureError: Status.OUT_OF_RESOURCES,
    StorageFull: Status.OUT_OF_RESOURCES,
    StorageAway: Status.OUT_OF_RESOURCES,
    DatabaseAway: Status.OUT_OF_RESOURCES,
    ObjectUnreadable: Status.PROCESSING_FAILURE,
    RecordNotFound: Status.NO_SUCH_SOP_INSTANCE,
    BytesRemoved: Status.NO_SUCH_SOP_INSTANCE,
    PixelsUnreadable: Status.PROCESSING_FAILURE,
    RetrieveInvalid: Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
    TooManyInstances: Status.UNABLE_TO_COUNT_MATCHES,
    DestinationUnknown: Status.MOVE_DESTINATION_UNKNOWN,
    ObjectTooLarge: Status.OUT_OF_RESOURCES,
    UnsupportedSOPClass: Status.SOP_CLASS_NOT_SUPPORTED,
    FileInvalid: Status.CANNOT_UNDERSTAND,
    StudyMismatch: Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
    InstanceRefused: Status.CANNOT_UNDERSTAND,
    InvalidInstance: Status.CANNOT_UNDERSTAND,
    FileRefused: Status.CANNOT_UNDERSTAND,
    PatientIDMissing: Status.CANNOT_UNDERSTAND,
    SOPMismatch: Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
    InstanceConflict: Status.INSTANCE_CONFLICT,
    PatientConflict: Status.PATIENT_CONFLICT,
    HierarchyConflict: Status.HIERARCHY_CONFLICT,
    ActionRefused: Status.PROCESSING_FAILURE,
    UnknownAction: Status.NO_SUCH_ACTION,
    UnknownEvent: Status.NO_SUCH_EVENT_TYPE,
    UnknownActionInstance: Status.NO_SUCH_SOP_INSTANCE,
    ActionAttributeMissing: Status.MISSING_ATTRIBUTE,
    ActionValueMissing: Status.MISSING_ATTRIBUTE_VALUE,
    ActionInvalid: Status.INVALID_ARGUMENT_VALUE,
    UnknownTransaction: Status.INVALID_ARGUMENT_VALUE,
    ActionTooLarge: Status.RESOURCE_LIMITATION,
    NoticeRefused: Status.PROCESSING_FAILURE,
    NoticeKnown: Status.DUPLICATE_SOP_INSTANCE,
    NoticeUnknown: Status.NO_SUCH_SOP_INSTANCE,
    NoticeFinal: Status.PROCESSING_FAILURE,
    NoticeAttributeMissing: Status.MISSING_ATTRIBUTE,
    NoticeValueMissing: Status.MISSING_ATTRIBUTE_VALUE,
    NoticeInvalid: Status.INVALID_ATTRIBUTE_VALUE,
    NoticeTooLarge: Status.RESOURCE_LIMITATION,
    IdentifierRefused: Status.CANNOT_UNDERSTAND,
    IdentifierMismatch: Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
    IdentifierUnreadable: Status.CANNOT_UNDERSTAND,
    IdentifierTooLarge: Status.OUT_OF_RESOURCES,
    MatchingKeyInvalid: Status.CANNOT_UNDERSTAND,
}


def status_of(error: NodeError) -> Status:
    """Return the status that answers an error."""
    family = type(error).__mro__
    return next(
        STATUS_OF_ERROR[kind]
        for kind in family
        if issubclass(kind, NodeError) and kind in STATUS_OF_ERROR
    )


def is_pending(response: Dataset) -> bool:
    """Whether more responses follow (PS3.7 C.3, status class Pending)."""
    return response.get("Status") in {0xFF00, 0xFF01}


def answer(status: Status, comment: str = "") -> Dataset:
    """Return a response's status elements."""
    response = Dataset()
    response.Status = int(status)
    if comment:
        response.ErrorComment = comment
    return response


def answer_action_error(error: NodeError) -> Dataset:
    """Return the status elements that answer an N-ACTION, N-CREATE or N-SET.

    0xA700 is a status of storing; of those the same is said by 0x0213 (PS3.7 annex C).
    """
    status = status_of(error)
    is_lacking = status is Status.OUT_OF_RESOURCES
    return answer(Status.RESOURCE_LIMITATION if is_lacking else status, comment_of(error))


def comment_of(error: NodeError) -> str:
    """Return what a device shows its operator: the error's message as an Error Comment."""
    # LO holds no backslash, and a device may show ASCII only.
    plain = str(error).encode("ascii", "replace").decode("ascii").replace("\\", "/")
    return plain[:_COMMENT_LENGTH].strip()

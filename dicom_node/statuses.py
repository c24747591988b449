"""The DIMSE status each error is answered with, and the comment a device shows its operator."""

from enum import IntEnum
from typing import Final

from core.database import DatabaseAway
from core.errors import InfrastructureError, NodeError
from dicom_node.errors import (
    FileInvalid,
    HierarchyConflict,
    InstanceConflict,
    InstanceRefused,
    InvalidInstance,
    ObjectTooLarge,
    ObjectUnreadable,
    PatientConflict,
    PatientIDMissing,
    SOPMismatch,
    StorageAway,
    StorageFull,
    StudyMismatch,
    UnsupportedSOPClass,
)

#: Error Comment (0000,0902) is LO: at most 64 characters.
_COMMENT_LENGTH: Final = 64


class Status(IntEnum):
    """Status (0000,0900). Storage: PS3.4 B.2.3; general ones: PS3.7 9.1.1.1.9 and annex C.

    Within Cxxx (cannot understand) the lower digits are ours: they tell an administrator which rule
    refused the object.
    """

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    OUT_OF_RESOURCES = 0xA700
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    CANNOT_UNDERSTAND = 0xC000
    INSTANCE_CONFLICT = 0xC101
    PATIENT_CONFLICT = 0xC102
    HIERARCHY_CONFLICT = 0xC103


#: The nearest class of an error's family decides.
STATUS_OF_ERROR: Final[dict[type[NodeError], Status]] = {
    NodeError: Status.PROCESSING_FAILURE,
    InfrastructureError: Status.OUT_OF_RESOURCES,
    StorageFull: Status.OUT_OF_RESOURCES,
    StorageAway: Status.OUT_OF_RESOURCES,
    DatabaseAway: Status.OUT_OF_RESOURCES,
    ObjectUnreadable: Status.PROCESSING_FAILURE,
    ObjectTooLarge: Status.OUT_OF_RESOURCES,
    UnsupportedSOPClass: Status.SOP_CLASS_NOT_SUPPORTED,
    FileInvalid: Status.CANNOT_UNDERSTAND,
    StudyMismatch: Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
    InstanceRefused: Status.CANNOT_UNDERSTAND,
    InvalidInstance: Status.CANNOT_UNDERSTAND,
    PatientIDMissing: Status.CANNOT_UNDERSTAND,
    SOPMismatch: Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
    InstanceConflict: Status.INSTANCE_CONFLICT,
    PatientConflict: Status.PATIENT_CONFLICT,
    HierarchyConflict: Status.HIERARCHY_CONFLICT,
}


def status_of(error: NodeError) -> Status:
    """Return the status that answers an error."""
    family = type(error).__mro__
    return next(
        STATUS_OF_ERROR[kind]
        for kind in family
        if issubclass(kind, NodeError) and kind in STATUS_OF_ERROR
    )


def comment_of(error: NodeError) -> str:
    """Return what a device shows its operator: the error's message as an Error Comment."""
    # LO holds no backslash, and a device may show ASCII only.
    plain = str(error).encode("ascii", "replace").decode("ascii").replace("\\", "/")
    return plain[:_COMMENT_LENGTH].strip()

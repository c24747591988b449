"""What can go wrong while talking DICOM or keeping what came.

NodeError
├─ InfrastructureError*
│   ├─ StorageFull*          no room, or below the watermark
│   └─ StorageAway*          the storage does not answer
├─ ObjectUnreadable*         one kept object is damaged, the storage is there
├─ BytesRemoved              retention removed them, the row says when
├─ PixelsUnreadable          the pixels of a kept object cannot be decoded here
├─ RetrieveInvalid           an identifier that selects nothing in a way that can be asked
├─ TooManyInstances          more than one retrieval can count
├─ DestinationUnknown        no peer of that AE title listens anywhere
├─ ObjectTooLarge            larger than the setting allows
├─ UnsupportedSOPClass       outside the accept list
├─ FileInvalid               no DICOM file (PS3.10), nothing of it can be named
├─ StudyMismatch             of another study than the one it was sent to
├─ InstanceRefused           kept aside in quarantine, answered with a failure
│   ├─ InvalidInstance       cannot be understood
│   ├─ FileRefused           a file that is no DICOM, or of another kind than we take
│   ├─ PatientIDMissing      nobody could say whose eye it is
│   ├─ SOPMismatch           the command names another object than the data set
│   ├─ InstanceConflict      same SOP Instance UID, other content
│   ├─ PatientConflict       the study belongs to another patient
│   └─ HierarchyConflict     the series belongs to another study
├─ ActionRefused             an N-ACTION that is not carried out
│   ├─ UnknownAction         another action than to commit
│   ├─ UnknownEvent          a report of another event than of commitment
│   ├─ UnknownActionInstance not the instance the standard names for it
│   ├─ ActionAttributeMissing
│   ├─ ActionValueMissing
│   ├─ ActionInvalid         not a data set, or a malformed UID in it
│   │   └─ UnknownTransaction  a report of what we did not ask about
│   └─ ActionTooLarge        more than we take at once
├─ NoticeRefused             an N-CREATE or N-SET of MPPS or IAN that is not taken
│   ├─ NoticeKnown           there is one under that UID
│   ├─ NoticeUnknown         there is none
│   ├─ NoticeFinal           the procedure step ended before
│   ├─ NoticeAttributeMissing
│   ├─ NoticeValueMissing
│   ├─ NoticeInvalid         a value none may have, or not a data set
│   └─ NoticeTooLarge        more than we take at once
└─ IdentifierRefused         a query of a peer that is not carried out
    ├─ IdentifierMismatch    its level is none of the model's, or a key above it is missing
    ├─ IdentifierUnreadable  not a data set
    ├─ IdentifierTooLarge    more than we take at once
    └─ MatchingKeyInvalid    a value its attribute cannot have
                             * retry may help
"""

from typing import ClassVar

from core.errors import InfrastructureError, NodeError, RecordNotFound


class StorageFull(InfrastructureError):
    """Out of storage; free space on the disk."""


class StorageAway(InfrastructureError):
    """The storage does not answer."""


class ObjectUnreadable(NodeError):
    """A kept object cannot be read; check the disk."""

    retry = True


class BytesRemoved(RecordNotFound):
    """Retention removed the files of this instance; send it again."""


class PixelsUnreadable(NodeError):
    """The pixels of this object cannot be decoded here."""


class RetrieveInvalid(NodeError):
    """The identifier must hold the unique keys of its level and above."""


class TooManyInstances(NodeError):
    """More than 65535 instances; retrieve them study by study."""


class DestinationUnknown(NodeError):
    """The move destination is no peer with a host and a port."""


class ObjectTooLarge(NodeError):
    """The object is larger than maximum_object_mib allows."""


class UnsupportedSOPClass(NodeError):
    """The SOP class is not in the accept list."""


class FileInvalid(NodeError):
    """No DICOM file, or its file meta information is damaged."""


class StudyMismatch(NodeError):
    """The instance belongs to another study than the request names."""


class InstanceRefused(NodeError):
    """The object must not be taken in; it is in quarantine."""

    #: The `code` of its quarantine row: a contract, add and never rename.
    code: ClassVar[str] = "instance_refused"


class InvalidInstance(InstanceRefused):
    """The data set cannot be understood."""

    code = "instance_invalid"


class FileRefused(InstanceRefused):
    """The file is none that can be taken in; export it as DICOM."""

    code = "file_refused"


class PatientIDMissing(InstanceRefused):
    """Patient ID (0010,0020) is missing; enter it at the device."""

    code = "patient_id_missing"


class SOPMismatch(InstanceRefused):
    """The data set is another object than the command announced."""

    code = "sop_mismatch"


class InstanceConflict(InstanceRefused):
    """SOP Instance UID is already kept with other content."""

    code = "instance_conflict"


class PatientConflict(InstanceRefused):
    """Study Instance UID already belongs to another patient."""

    code = "patient_conflict"


class HierarchyConflict(InstanceRefused):
    """Series Instance UID already belongs to another study."""

    code = "hierarchy_conflict"


class ActionRefused(NodeError):
    """The action cannot be carried out."""


class UnknownAction(ActionRefused):
    """Action Type ID must be 1, Request Storage Commitment."""


class UnknownEvent(ActionRefused):
    """Only Storage Commitment is reported here (event types 1 and 2)."""


class UnknownActionInstance(ActionRefused):
    """Ask the well-known instance 1.2.840.10008.1.20.1.1."""


class ActionAttributeMissing(ActionRefused):
    """Transaction UID or Referenced SOP Sequence is missing."""


class ActionValueMissing(ActionRefused):
    """Transaction UID or Referenced SOP Sequence is empty."""


class ActionInvalid(ActionRefused):
    """The action information cannot be understood."""


class UnknownTransaction(ActionInvalid):
    """We did not ask under that Transaction UID."""


class ActionTooLarge(ActionRefused):
    """Too many objects for one storage commitment request."""


class NoticeRefused(NodeError):
    """What was said of the study cannot be recorded."""


class NoticeKnown(NoticeRefused):
    """There is an instance under that SOP Instance UID already."""


class NoticeUnknown(NoticeRefused):
    """The peer has told of no such procedure step."""


class NoticeFinal(NoticeRefused):
    """The procedure step ended and may no longer be updated."""


class NoticeAttributeMissing(NoticeRefused):
    """A required attribute is missing."""


class NoticeValueMissing(NoticeRefused):
    """A required attribute is empty."""


class NoticeInvalid(NoticeRefused):
    """An attribute has a value that it cannot have."""


class NoticeTooLarge(NoticeRefused):
    """Too many objects are named at once."""


class IdentifierRefused(NodeError):
    """The query is not carried out."""


class IdentifierMismatch(IdentifierRefused):
    """Query/Retrieve Level is missing, or none of this model."""


class IdentifierUnreadable(IdentifierRefused):
    """The identifier is no data set."""


class IdentifierTooLarge(IdentifierRefused):
    """The identifier is larger than a query may be."""


class MatchingKeyInvalid(IdentifierRefused):
    """A matching key has a value its attribute cannot have."""

    # The value is told nowhere: it may name a patient.
    def __init__(self, keyword: str = "", fault: str = "") -> None:
        super().__init__(*([f"{keyword} {fault}"] if keyword else []))
        self.keyword = keyword
        self.fault = fault

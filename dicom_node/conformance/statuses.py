"""The statuses each service answers with, read from the map of errors and the errors themselves."""

from dataclasses import dataclass
from typing import Final

from core.database import DatabaseAway
from core.errors import NodeError
from dicom_node import errors
from dicom_node.statuses import STATUS_OF_ERROR, Status

#: What the services answer beside errors.
_WORDS: Final = {
    Status.SUCCESS: "Success",
    Status.PENDING: "A match, or one more sub-operation is done",
    Status.PENDING_WITH_UNSUPPORTED_KEYS: "A match; a key was asked for that is never known",
    Status.CANCEL: "Cancelled",
    Status.MATCHES_CUT: "There are more matches than are told",
    Status.SUB_OPERATIONS_WITH_FAILURES: "Some sub-operations failed, or ended with a warning",
    Status.UNABLE_TO_PERFORM_SUB_OPERATIONS: "No sub-operation succeeded",
    Status.RESOURCE_LIMITATION: "The database or the storage does not answer",
}
_LACKING: Final = (errors.StorageFull, errors.StorageAway, DatabaseAway)


@dataclass(frozen=True)
class StatusMeaning:
    """A status (0000,0900), and what it tells."""

    status: int
    meaning: str


@dataclass(frozen=True)
class _Service:
    answers: tuple[Status, ...]
    refusals: tuple[type[NodeError], ...]


_SERVICES: Final[dict[str, _Service]] = {
    "Verification (C-ECHO)": _Service((Status.SUCCESS,), ()),
    "Storage (C-STORE)": _Service(
        (Status.SUCCESS,),
        (
            *_LACKING,
            errors.ObjectTooLarge,
            errors.UnsupportedSOPClass,
            errors.SOPMismatch,
            errors.InvalidInstance,
            errors.PatientIDMissing,
            errors.InstanceConflict,
            errors.PatientConflict,
            errors.HierarchyConflict,
            NodeError,
        ),
    ),
    "Query (C-FIND)": _Service(
        (
            Status.PENDING,
            Status.PENDING_WITH_UNSUPPORTED_KEYS,
            Status.SUCCESS,
            Status.MATCHES_CUT,
            Status.CANCEL,
        ),
        (
            errors.IdentifierMismatch,
            errors.IdentifierUnreadable,
            errors.MatchingKeyInvalid,
            errors.IdentifierTooLarge,
            DatabaseAway,
        ),
    ),
    "Retrieve (C-MOVE, C-GET)": _Service(
        (
            Status.PENDING,
            Status.SUCCESS,
            Status.SUB_OPERATIONS_WITH_FAILURES,
            Status.UNABLE_TO_PERFORM_SUB_OPERATIONS,
            Status.CANCEL,
        ),
        (
            errors.RetrieveInvalid,
            errors.TooManyInstances,
            errors.DestinationUnknown,
            DatabaseAway,
        ),
    ),
    "Storage Commitment (N-ACTION)": _Service(
        (Status.SUCCESS, Status.RESOURCE_LIMITATION),
        (
            errors.UnknownAction,
            errors.UnknownActionInstance,
            errors.ActionAttributeMissing,
            errors.ActionValueMissing,
            errors.ActionInvalid,
            errors.ActionTooLarge,
            NodeError,
        ),
    ),
    "Storage Commitment reports to us (N-EVENT-REPORT)": _Service(
        (Status.SUCCESS, Status.RESOURCE_LIMITATION),
        (
            errors.UnknownEvent,
            errors.UnknownTransaction,
            errors.ActionAttributeMissing,
            errors.ActionInvalid,
            errors.ActionTooLarge,
        ),
    ),
    "MPPS and Instance Availability Notification (N-CREATE, N-SET)": _Service(
        (Status.SUCCESS, Status.RESOURCE_LIMITATION),
        (
            errors.NoticeKnown,
            errors.NoticeUnknown,
            errors.NoticeFinal,
            errors.NoticeAttributeMissing,
            errors.NoticeValueMissing,
            errors.NoticeInvalid,
            errors.NoticeTooLarge,
        ),
    ),
}


def statuses_by_service() -> dict[str, tuple[StatusMeaning, ...]]:
    """Return what each service answers, by its name."""
    return {name: tuple(_meanings(service)) for name, service in _SERVICES.items()}


def refusals() -> frozenset[type[NodeError]]:
    """Return every error that a service answers."""
    return frozenset(kind for service in _SERVICES.values() for kind in service.refusals)


def _meanings(service: _Service) -> list[StatusMeaning]:
    said = [StatusMeaning(int(status), _WORDS[status]) for status in service.answers]
    refused = [StatusMeaning(int(STATUS_OF_ERROR[k]), _words(k)) for k in service.refusals]
    return [*said, *refused]


def _words(kind: type[NodeError]) -> str:
    if kind is NodeError:
        return "Anything else; the log says more"
    return (kind.__doc__ or "").splitlines()[0].strip().rstrip(".")

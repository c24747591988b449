"""The codes of audit messages (PS3.16 CID 400 to 405, PS3.15 A.5.1.2), and which act is which."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.audit.subjects import PATIENTS_OBJECTS
from core.values.audit import AuditAction, AuditOutcome


@dataclass(frozen=True)
class Code:
    """A coded value: code, scheme, meaning."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Kind:
    """What an audit message is about.

    Attributes
    ----------
    action
        EventActionCode: C, R, U, D or E.
    """

    event: Code
    action: str
    type: Code | None = None


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


APPLICATION_ACTIVITY: Final = _dcm("110100", "Application Activity")
AUDIT_LOG_USED: Final = _dcm("110101", "Audit Log Used")
INSTANCES_ACCESSED: Final = _dcm("110103", "DICOM Instances Accessed")
INSTANCES_TRANSFERRED: Final = _dcm("110104", "DICOM Instances Transferred")
STUDY_DELETED: Final = _dcm("110105", "DICOM Study Deleted")
EXPORT: Final = _dcm("110106", "Export")
PATIENT_RECORD: Final = _dcm("110110", "Patient Record")
QUERY: Final = _dcm("110112", "Query")
SECURITY_ALERT: Final = _dcm("110113", "Security Alert")
USER_AUTHENTICATION: Final = _dcm("110114", "User Authentication")

_START: Final = _dcm("110120", "Application Start")
_STOP: Final = _dcm("110121", "Application Stop")
_LOGIN: Final = _dcm("110122", "Login")
_LOGOUT: Final = _dcm("110123", "Logout")
_NETWORK: Final = _dcm("110128", "Network Configuration")
_SECURITY: Final = _dcm("110129", "Security Configuration")
_RESTRICTED: Final = _dcm("110133", "Use of Restricted Function")
_USERS: Final = _dcm("110138", "User Security Attributes Changed")

APPLICATION: Final = _dcm("110150", "Application")
LAUNCHER: Final = _dcm("110151", "Application Launcher")
DESTINATION: Final = _dcm("110152", "Destination Role ID")
SOURCE: Final = _dcm("110153", "Source Role ID")
STUDY_UID: Final = _dcm("110180", "Study Instance UID")
SOP_CLASS_UID: Final = _dcm("110181", "SOP Class UID")
PATIENT_NUMBER: Final = Code("2", "RFC-3881", "Patient Number")
REPORT_NUMBER: Final = Code("9", "RFC-3881", "Report Number")
URI: Final = Code("12", "RFC-3881", "URI")

_PLAIN: Final[Mapping[AuditAction, Kind]] = {
    AuditAction.SEARCH: Kind(QUERY, "E"),
    AuditAction.EXPORT: Kind(EXPORT, "R"),
    AuditAction.LOGIN: Kind(USER_AUTHENTICATION, "E", _LOGIN),
    AuditAction.LOGIN_FAILED: Kind(USER_AUTHENTICATION, "E", _LOGIN),
    AuditAction.LOGOUT: Kind(USER_AUTHENTICATION, "E", _LOGOUT),
    AuditAction.RETRIEVE: Kind(INSTANCES_TRANSFERRED, "R"),
    AuditAction.DELIVER: Kind(INSTANCES_TRANSFERRED, "R"),
    AuditAction.STORE: Kind(INSTANCES_TRANSFERRED, "C"),
    AuditAction.START: Kind(APPLICATION_ACTIVITY, "E", _START),
    AuditAction.STOP: Kind(APPLICATION_ACTIVITY, "E", _STOP),
    AuditAction.AUDIT: Kind(AUDIT_LOG_USED, "R"),
    AuditAction.PURGE: Kind(SECURITY_ALERT, "E", _SECURITY),
}
_LETTERS: Final[Mapping[AuditAction, str]] = {
    AuditAction.READ: "R",
    AuditAction.CREATE: "C",
    AuditAction.CHANGE: "U",
    AuditAction.DELETE: "D",
}
_STUDIES: Final = frozenset({"study", "series", "instance"})
#: Who is let in, and where data goes.
_ALERTS: Final[Mapping[str, Code]] = {
    "key": _USERS,
    "user": _USERS,
    "peer": _NETWORK,
    "destination": _NETWORK,
    "rule": _NETWORK,
    "webhook": _NETWORK,
}
#: EventOutcomeIndicator.
OUTCOMES: Final[Mapping[str, str]] = {
    AuditOutcome.SUCCESS: "0",
    AuditOutcome.REFUSED: "4",
    AuditOutcome.FAILED: "8",
}


def kind_of(action: str, object_kind: str, outcome: str, status: object) -> Kind:
    """Return what an entry of the trail is, in the standard's words.

    Parameters
    ----------
    status
        Of an HTTP answer, None where there was none.
    """
    known = AuditAction(action)
    if outcome == AuditOutcome.REFUSED and status == 403:
        return Kind(SECURITY_ALERT, "E", _RESTRICTED)
    if known in _PLAIN:
        return _PLAIN[known]
    letter = _LETTERS[known]
    if object_kind in _STUDIES:
        return Kind(STUDY_DELETED if letter == "D" else INSTANCES_ACCESSED, letter)
    if object_kind in PATIENTS_OBJECTS or letter == "R":
        return Kind(PATIENT_RECORD, letter)
    return Kind(SECURITY_ALERT, "E", _ALERTS.get(object_kind, _SECURITY))

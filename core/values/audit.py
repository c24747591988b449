"""What the audit trail says of one act: who, what, on what, of whom, with what outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

#: What an entry says beside: short words, numbers and lists of short words.
DetailValue = str | int | Sequence[str]


class AuditAction(StrEnum):
    """What was done."""

    READ = "read"
    SEARCH = "search"
    #: A result left as a document, or many as a table.
    EXPORT = "export"
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    #: Kept objects were given out: C-MOVE, C-GET, WADO-RS.
    RETRIEVE = "retrieve"
    #: Objects came in on an association or by STOW-RS.
    STORE = "store"
    #: A report went to a destination.
    DELIVER = "deliver"
    START = "start"
    STOP = "stop"
    #: The trail itself was read, checked or written out.
    AUDIT = "audit"
    #: Old entries of the trail were removed.
    PURGE = "purge"


class AuditOutcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    #: It was not allowed, not found or not understood.
    REFUSED = "refused"
    #: The node could not do it.
    FAILED = "failed"


@dataclass(frozen=True)
class Actor:
    """Who acted: a key or user, an AE title, an account of this machine, or a role of ours.

    Attributes
    ----------
    address
        Where they called from; empty on this machine.
    """

    name: str
    role: str = ""
    address: str = ""


@dataclass(frozen=True)
class AuditEvent:
    """One act.

    Attributes
    ----------
    object_kind, object_id
        What it was done to, where that is one thing: a prediction, a study, a peer.
    patients
        Keys of the rows of the patients it concerns, never their IDs.
    detail
        No free text: names of routes, filters and levels, UIDs, counts.
    """

    actor: Actor
    action: AuditAction
    object_kind: str = ""
    object_id: str = ""
    patients: Sequence[int] = ()
    outcome: AuditOutcome = AuditOutcome.SUCCESS
    detail: Mapping[str, DetailValue] = field(default_factory=dict)

"""What can go wrong where we are the one who calls: no peer waits for a status.

NodeError
├─ PeerInvalid               a peer's AE title, host or port is malformed
├─ PeerUnreachable*          no answer on that address
├─ AssociationRejected       the peer answered, and declined
│   └─ AssociationPutOff*    for now only
├─ ReportRefused*            the peer did not take our event report
├─ DestinationDown*          a destination of results does not answer
├─ CommitmentNotOffered      it does not commit to keeping what it took
├─ QueryInvalid              what to retrieve is not said in a way that can be asked
├─ QueryRefused              the peer does not carry out a query or a retrieval
├─ GetNotAccepted            the peer does not offer C-GET
└─ PathUnreadable            nothing to send there
                             * retry may help
"""

from core.errors import NodeError


class PeerInvalid(NodeError):
    """A peer needs an AE title of 1 to 16 characters, a host and a port of 1 to 65535."""


class PeerUnreachable(NodeError):
    """The peer does not answer."""

    retry = True


class AssociationRejected(NodeError):
    """The peer rejected the association."""


class AssociationPutOff(AssociationRejected):
    """The peer rejected the association for now."""

    retry = True


class ReportRefused(NodeError):
    """The peer did not take the event report."""

    retry = True


class DestinationDown(NodeError):
    """The destination does not answer, or lets nobody in; no object is to blame.

    Attributes
    ----------
    asked_pause_seconds
        For how long it asked to be left alone; None where it did not.
    """

    retry = True

    def __init__(self, message: str = "", asked_pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.asked_pause_seconds = asked_pause_seconds


class CommitmentNotOffered(NodeError):
    """The destination does not offer Storage Commitment."""


class QueryInvalid(NodeError):
    """What to retrieve must be one study, one patient or a range of dates."""


class QueryRefused(NodeError):
    """The peer does not carry out the query."""


class GetNotAccepted(NodeError):
    """The peer does not offer C-GET."""


class PathUnreadable(NodeError):
    """The path holds nothing that could be sent."""

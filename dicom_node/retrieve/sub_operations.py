"""The answers to a C-GET or C-MOVE (PS3.4 C.4.2.1.4, C.4.3.1.4)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pydicom import Dataset

from dicom_node.calling_errors import PeerUnreachable, QueryRefused
from dicom_node.peers import PeerAddress
from dicom_node.statuses import Status, is_pending

#: "Sub-operations complete, one or more failures", and cancelled: what came has come.
_PARTIAL: Final = frozenset({0xB000, 0xFE00})
#: Refused: unable to perform sub-operations. The counts tell of which.
_NONE_DONE: Final = 0xA702
_REMEDIES: Final = {
    0xA801: "it does not know our AE title as a destination",
    0xA701: "it is out of resources",
    0xA900: "it does not take the request for one of this level",
}


@dataclass(frozen=True)
class SubOperations:
    """How many of the archive's stores went which way, by its own account.

    Attributes
    ----------
    problems
        Why an instance did not come, by SOP Instance UID; under none what is true of all.
    """

    completed: int = 0
    failed: int = 0
    warning: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def count(responses: Iterable[tuple[Dataset, Dataset | None]], peer: PeerAddress) -> SubOperations:
    """Return the final counts.

    Raises
    ------
    QueryRefused
        If the archive does not carry the request out.
    PeerUnreachable
        If it falls silent or ends the association.
    """
    final = Dataset()
    try:
        for response, _ in responses:
            final = response
    except RuntimeError as error:
        # What pynetdicom raises on an association that ended meanwhile.
        raise PeerUnreachable(f"{peer} ended the association") from error
    if "Status" not in final or is_pending(final):
        raise PeerUnreachable(f"{peer} fell silent, or ended the association")
    _check(int(final.Status), peer)
    completed, failed, warning = (
        int(final.get(f"NumberOf{kind}Suboperations") or 0)
        for kind in ("Completed", "Failed", "Warning")
    )
    return SubOperations(completed, failed, warning)


def _check(status: int, peer: PeerAddress) -> None:
    if status not in {Status.SUCCESS, _NONE_DONE} | _PARTIAL:
        remedy = _REMEDIES.get(status, "its own log may say why")
        raise QueryRefused(f"{peer} answered 0x{status:04X}: {remedy}")

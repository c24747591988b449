"""What the status of a store means for its object (PS3.4 B.2.3, PS3.7 annex C).

The same codes stand as failure reasons in the answer of a STOW-RS (PS3.18 table I.2-2).
"""

from typing import Final

from dicom_node.delivery.targets.target import Verdict
from dicom_node.statuses import Status

#: Warning: the peer kept the instance.
_WARNINGS: Final = range(0xB000, 0xC000)
#: Refused: out of resources. Room may be made.
_OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
#: What may pass by itself.
_PASSING: Final = frozenset({Status.PROCESSING_FAILURE, Status.RESOURCE_LIMITATION})
#: It is there: the same SOP Instance UID is the same object.
_TAKEN: Final = frozenset({Status.SUCCESS, Status.DUPLICATE_SOP_INSTANCE})


def verdict_of(status: int | None) -> Verdict:
    """Return how the sending of an object ended.

    Parameters
    ----------
    status
        None where the peer gave no answer.
    """
    if status is None or status in _OUT_OF_RESOURCES or status in _PASSING:
        return Verdict.FAILED
    if status in _TAKEN or status in _WARNINGS:
        return Verdict.DELIVERED
    return Verdict.REFUSED

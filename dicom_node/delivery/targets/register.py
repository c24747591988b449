"""The targets there are; an unlisted one is never used."""

from typing import Final

from core.deliveries.destinations import DestinationInvalid
from dicom_node.delivery.targets.dicom_peer import DicomPeer
from dicom_node.delivery.targets.folder import Folder
from dicom_node.delivery.targets.stow_rs import StowRs
from dicom_node.delivery.targets.target import Target

TARGETS: Final[tuple[Target, ...]] = (DicomPeer(), StowRs(), Folder())


def find_target(kind: str) -> Target:
    """Return the target of a kind.

    Raises
    ------
    DestinationInvalid
        If there is none.
    """
    found = next((target for target in TARGETS if target.kind == kind), None)
    if found is None:
        known = ", ".join(target.kind for target in TARGETS)
        raise DestinationInvalid(f"There is no target {kind!r}: {known}")
    return found

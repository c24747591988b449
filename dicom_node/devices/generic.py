"""Any device that writes Ophthalmic Tomography as the standard has it."""

from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused


class Generic:
    """A device nothing more is known of; it must come last in the register."""

    scrambles_pixels: Final = False

    def recognises(self, dataset: Dataset) -> bool:
        """Every object is taken to follow the standard."""
        return True

    def refusal(self, dataset: Dataset) -> ScanRefused | None:
        """No object is refused unread."""
        return None

"""Heidelberg Engineering: Spectralis and HEYEX.

Tried on one real localizer and one real circle scan. Its other oddities (empty third Image Type
value, empty FL values, SRT codes, group lengths in sequences) need nothing here: absent values are
read as absent everywhere.
"""

from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from dicom_node.devices.attributes import text_of


class Heidelberg:
    """Objects of Heidelberg Engineering."""

    scrambles_pixels: Final = False

    def recognises(self, dataset: Dataset) -> bool:
        """Tell whether Manufacturer (0008,0070) names Heidelberg Engineering."""
        return text_of(dataset, "Manufacturer").upper().startswith("HEIDELBERG")

    def refusal(self, dataset: Dataset) -> ScanRefused | None:
        """No object is refused unread."""
        return None

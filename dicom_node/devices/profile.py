"""What the node knows of one make of device beyond the standard."""

from typing import Protocol

from pydicom.dataset import Dataset

from core.errors import ScanRefused


class DeviceProfile(Protocol):
    """One make of device: how to recognise it and what is odd about its objects."""

    @property
    def scrambles_pixels(self) -> bool:
        """Whether pixels that cannot be decoded mean obfuscation rather than damage."""

    def recognises(self, dataset: Dataset) -> bool:
        """Tell whether this make wrote the object; never raises."""

    def refusal(self, dataset: Dataset) -> ScanRefused | None:
        """Return why an object of this make cannot be read at all, None where it can."""

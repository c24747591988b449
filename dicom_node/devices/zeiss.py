"""Carl Zeiss Meditec: Cirrus and FORUM.

Known from documents and from software written against real exports; none was at hand.
"""

from typing import Final

from pydicom.dataset import Dataset

from core.errors import ScanRefused
from core.values.reason import ReasonCode
from dicom_node.devices.attributes import text_of
from dicom_node.devices.input_class import is_raw_tomography


class Zeiss:
    """Objects of Carl Zeiss Meditec."""

    #: A standard decoder fails on obfuscated frames or, worse, returns a picture of noise.
    scrambles_pixels: Final = True

    def recognises(self, dataset: Dataset) -> bool:
        """Tell whether Manufacturer (0008,0070) names Carl Zeiss Meditec."""
        return text_of(dataset, "Manufacturer").upper().startswith("CARL ZEISS")

    def refusal(self, dataset: Dataset) -> ScanRefused | None:
        """Refuse OCT volumes written as Raw Data: their frames are obfuscated."""
        kind = text_of(dataset, "SOPClassUID"), text_of(dataset, "Modality")
        if not is_raw_tomography(*kind, text_of(dataset, "Manufacturer")):
            return None
        return ScanRefused(
            ReasonCode.VENDOR_ENCRYPTED_PIXELS,
            "The pixel data of this Zeiss object are obfuscated (Raw Data with Modality OPT); "
            "export standard OPT (Ophthalmic Tomography) from the device or its archive.",
        )

"""Pixels in JPEG, which loses a little: as cameras and some OCT devices send them."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

_QUALITY: Final = 75


def compress_frames(
    dataset: Dataset,
    frames: Sequence[NDArray[np.uint8] | NDArray[np.uint16]],
    quality: int = _QUALITY,
) -> None:
    """Give a described data set its frames in JPEG, each grey or in red, green and blue."""
    encoded = [_jpeg(np.asarray(frame, np.uint8), quality) for frame in frames]
    dataset.PixelData = encapsulate(encoded)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    size = sum(frame.nbytes for frame in frames)
    dataset.LossyImageCompressionRatio = round(size / sum(map(len, encoded)), 2)


def _jpeg(frame: NDArray[np.uint8], quality: int) -> bytes:
    file = BytesIO()
    # Subsampling 1: two columns share a colour, which is what YBR_FULL_422 says.
    Image.fromarray(frame).save(file, "JPEG", quality=quality, subsampling=1)
    return file.getvalue()

"""Which image a viewer really shows: what is painted, compared with the pixels that were kept."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.pixels import pixel_array

#: Both are compared in this size at most: fine print differs by how it was scaled.
_LARGEST: Final = 256


def frames_of(dataset: Dataset) -> list[Image.Image]:
    """Every frame as a picture in grey."""
    pixels = pixel_array(dataset)
    frames = pixels if int(dataset.get("NumberOfFrames", 1)) > 1 else pixels[np.newaxis]
    # 16 bits are shown in 8, by the window of the object.
    deep = 2 ** (dataset.BitsStored - 8)
    return [Image.fromarray((frame // deep).astype(np.uint8)).convert("L") for frame in frames]


def likeness(painted: Image.Image, frame: Image.Image) -> float:
    """Correlation of what is painted, without its black margins, with a frame; 0 for nothing."""
    grey = painted.convert("L")
    box = grey.point(lambda value: 255 * (value > 2)).getbbox()
    if box is None:
        return 0.0
    size = min(frame.width, _LARGEST), min(frame.height, _LARGEST)
    return float(np.corrcoef(_values(grey.crop(box), size), _values(frame, size))[0, 1])


def _values(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.float64]:
    return np.array(picture.resize(size, Image.Resampling.BOX), float).ravel()

"""The picture of a scan as a page shows it."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Of JPEG, 0 to 95. A B-scan is full of speckle, which PNG cannot make small.
_QUALITY: Final = 80


def small_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture, shape (rows, columns) or (rows, columns, 3), as JPEG of its own size."""
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()

"""The picture of a scored scan, for people: 8-bit PNG in full size, grey or in colour."""

import hashlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dicom_node.storage.bytes import Storage


def keep_preview(storage: Storage, picture: NDArray[np.float32]) -> str:
    """Keep a picture and return its storage key.

    Parameters
    ----------
    picture
        Shape (rows, columns), or (rows, columns, 3) in red, green and blue; 0 to 1. Places without
        a value (NaN) are black.
    """
    grey = np.round(255 * np.clip(np.nan_to_num(picture), 0, 1)).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(grey).save(written, "PNG")
    content = written.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    key = f"previews/{digest[:2]}/{digest}.png"
    storage.put(key, content)
    return key

"""The pictures of scans that are kept for people."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import RecordNotFound
from dicom_node.storage.bytes import Storage


def read_picture(storage: Storage, key: str | None) -> NDArray[np.uint8] | None:
    """Return a kept picture, shape (rows, columns) or (rows, columns, 3); None without one.

    A result stands without its picture: one that is gone is no error.
    """
    if key is None:
        return None
    try:
        content = storage.read(key)
    except RecordNotFound:
        return None
    with Image.open(io.BytesIO(content)) as picture:
        return np.array(picture, np.uint8)

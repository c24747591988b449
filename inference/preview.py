"""The pictures of a scored scan that are kept for people, by the digest of their content."""

import hashlib
import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dicom_node.storage.bytes import Storage

#: Of JPEG, 0 to 95: nothing that people see on a fundus is lost.
_FUNDUS_QUALITY: Final = 82
#: Of zlib: of a picture full of speckle it leaves no more than the search for repeats does, in a
#: fifth of the time.
_RUN_LENGTHS: Final = 3


@dataclass(frozen=True)
class KeptPictures:
    """Where the pictures of one scan are kept; None where there is none."""

    scan_key: str | None = None
    fundus_key: str | None = None


NO_PICTURES: Final = KeptPictures()


def keep_preview(storage: Storage, picture: NDArray[np.float32]) -> str:
    """Keep a picture as 8-bit PNG in full size and return its storage key.

    Parameters
    ----------
    picture
        Shape (rows, columns), or (rows, columns, 3) in red, green and blue; 0 to 1. Places without
        a value (NaN) are black.
    """
    grey = np.round(255 * np.clip(np.nan_to_num(picture), 0, 1)).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(grey).save(written, "PNG", compress_type=_RUN_LENGTHS)
    return _keep(storage, written.getvalue(), "png")


def keep_fundus(storage: Storage, pixels: NDArray[np.uint8]) -> str:
    """Keep a picture of the fundus as JPEG and return its storage key.

    Parameters
    ----------
    pixels
        Shape (rows, columns), or (rows, columns, 3) in red, green and blue.
    """
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=_FUNDUS_QUALITY)
    return _keep(storage, written.getvalue(), "jpg")


def _keep(storage: Storage, content: bytes, ending: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    key = f"previews/{digest[:2]}/{digest}.{ending}"
    storage.put(key, content)
    return key

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


def keep_pictures(
    storage: Storage, scan: NDArray[np.float32] | None, fundus: NDArray[np.uint8] | None = None
) -> KeptPictures:
    """Keep the pictures of a scan: itself as 8-bit PNG in full size, its fundus as JPEG.

    Parameters
    ----------
    scan
        Shape (rows, columns), or (rows, columns, 3) in red, green and blue; 0 to 1. Places without
        a value (NaN) are black.
    fundus
        Shape (rows, columns), or (rows, columns, 3) in red, green and blue.
    """
    scan_picture = None if scan is None else _picture(_png(scan), "png")
    fundus_picture = None if fundus is None else _picture(_jpeg(fundus), "jpg")
    storage.put_all([picture for picture in (scan_picture, fundus_picture) if picture])
    return KeptPictures(
        scan_picture[0] if scan_picture else None, fundus_picture[0] if fundus_picture else None
    )


def _png(scan: NDArray[np.float32]) -> bytes:
    grey = np.round(255 * np.clip(np.nan_to_num(scan), 0, 1)).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(grey).save(written, "PNG", compress_type=_RUN_LENGTHS)
    return written.getvalue()


def _jpeg(fundus: NDArray[np.uint8]) -> bytes:
    written = io.BytesIO()
    Image.fromarray(fundus).save(written, "JPEG", quality=_FUNDUS_QUALITY)
    return written.getvalue()


def _picture(content: bytes, ending: str) -> tuple[str, bytes]:
    digest = hashlib.sha256(content).hexdigest()
    return f"previews/{digest[:2]}/{digest}.{ending}", content

"""The picture of a scored B-scan, for people: 8-bit grey PNG in full size."""

import hashlib
import io

import numpy as np
from PIL import Image

from core.values.scan import Scan
from dicom_node.storage.bytes import Storage


def keep_preview(storage: Storage, scan: Scan) -> str:
    """Keep the picture of a scan and return its storage key."""
    picture = io.BytesIO()
    grey = np.round(255 * np.clip(scan.pixels, 0, 1)).astype(np.uint8)
    Image.fromarray(grey).save(picture, "PNG")
    content = picture.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    key = f"previews/{digest[:2]}/{digest}.png"
    storage.put(key, content)
    return key

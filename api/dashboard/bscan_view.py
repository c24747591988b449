"""The B-scan as a page draws it: its size, and the two borders found in it as SVG paths."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from api.dashboard.bundle_view import on_bscan
from core.errors import RecordNotFound
from core.values.circle_course import CircleCourse
from core.values.profile import Layers
from dicom_node.storage.bytes import Storage

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
#: Signature, length and name of the first chunk, then width and height (PNG, section 11.2.2).
_HEADER_BYTES: Final = 24


@dataclass(frozen=True)
class BscanView:
    """Size of the picture in pixels, and paths in its pixels; empty where no border was found."""

    width: int
    height: int
    ilm: str
    rnfl: str


def bscan_view(
    storage: Storage, preview_key: str | None, layers: Layers | None
) -> BscanView | None:
    """Return the B-scan as drawn, None where no picture of it is kept."""
    size = None if preview_key is None else _size(storage, preview_key)
    if size is None:
        return None
    width, height = size
    # Borders of another picture would lie in the wrong places: better none.
    fits = layers is not None and layers.ilm_row.shape == layers.rnfl_row.shape == (width,)
    if layers is None or not fits:
        return BscanView(width, height, "", "")
    return BscanView(width, height, _path(layers.ilm_row), _path(layers.rnfl_row))


def bscan_axis(course: CircleCourse | None, width: int | None) -> tuple[tuple[str, float], ...]:
    """Return T, S, N and I with the columns where they lie, in pixels; empty where unknown."""
    found = [(name, on_bscan(course, width, 90.0 * turn, 0.0)) for turn, name in enumerate("TSNI")]
    return tuple((name, spans[0].x) for name, spans in found if spans)


def _size(storage: Storage, key: str) -> tuple[int, int] | None:
    try:
        with storage.open(key) as file:
            header = file.read(_HEADER_BYTES)
    except RecordNotFound:
        return None
    if len(header) < _HEADER_BYTES or not header.startswith(_PNG_SIGNATURE):
        return None
    width, height = struct.unpack(">II", header[16:24])
    return int(width), int(height)


def _path(rows: NDArray[np.float32]) -> str:
    # Row 0 is the centre of the top row of pixels, half a unit below the picture's edge.
    parts, pen_down = [], False
    for column, row in enumerate(rows):
        if np.isfinite(row):
            parts.append(f"{'L' if pen_down else 'M'}{column + 0.5:.1f} {row + 0.5:.2f}")
        pen_down = bool(np.isfinite(row))
    return "".join(parts)

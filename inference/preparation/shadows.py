"""Vessels darken what lies below them; the outer band shows by how much."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.preparation.border import along, rows_of

_BAND_UM: Final = 46.0
_NARROW_COLUMNS: Final = 2.0
_WIDE_COLUMNS: Final = 101
_WIDE_PERCENTILE: Final = 60
_WIDE_SMOOTH_COLUMNS: Final = 20.0
_GAIN_LIMITS: Final = (0.9, 2.5)
#: Part of the loss that is given back; all of it would raise the noise to the level of tissue.
_GIVEN_BACK: Final = 0.7
#: A vessel lies in the nerve fibres: its shadow grows over this depth.
_GROWING_UM: Final = 100.0


def without_shadows(
    straight: NDArray[np.float32],
    depth_rows: NDArray[np.float64],
    picture: NDArray[np.float32],
    outer_band: NDArray[np.float64],
    row_um: float,
) -> NDArray[np.float32]:
    """Return a straightened part of a picture with the shadows of vessels lightened.

    Parameters
    ----------
    straight
        float32, shape (rows, columns).
    depth_rows
        Depth of each of its pixels below the inner limiting membrane in rows.
    picture, outer_band
        The whole picture and the rows of its outer bright band.
    """
    reach = rows_of(_BAND_UM, row_um)
    brightness = along(picture, outer_band, -reach, reach).mean(axis=0)
    narrow = ndimage.gaussian_filter1d(brightness, _NARROW_COLUMNS, mode="wrap")
    wide = ndimage.percentile_filter(narrow, _WIDE_PERCENTILE, size=_WIDE_COLUMNS, mode="wrap")
    wide = ndimage.gaussian_filter1d(wide, _WIDE_SMOOTH_COLUMNS, mode="wrap")
    gain = np.clip(wide / np.maximum(narrow, 1e-6), *_GAIN_LIMITS) ** _GIVEN_BACK
    grown = np.clip(depth_rows * row_um / _GROWING_UM, 0, 1)
    return np.asarray(straight * (1 + (gain - 1) * grown), np.float32)

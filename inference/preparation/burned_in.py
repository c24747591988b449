"""Lines a viewer drew into the picture: they pull the borders that are found to themselves."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LEVELS: Final = 256
#: Rows searched above and below a border.
_NEAR_ROWS: Final = 5
#: A drawn line is thinner than this; a layer at full scale is not.
_THIN_ROWS: Final = 4
#: Grey values this close are the same; those up to the second away are what a line is seen against.
_SAME: Final = 1
_OTHERS: Final = 3
#: Overexposed speckle spills over from the grey values below full scale; a drawn line does not.
_BELOW_FULL: Final = 16


def line_share(pixels: NDArray[np.float32], border: NDArray[np.float64], black_too: bool) -> float:
    """Return the share of columns, 0 to 1, with a thin line of one grey value along a border.

    A grey value counts that more columns have than have its neighbours on the scale, as speckle
    has no favourite.

    Parameters
    ----------
    pixels
        float32, shape (rows, columns), 0 to 1, as displayed.
    border
        Row of the border in each column.
    black_too
        Whether black counts; not beside the vitreous, where noise below the scale is black.
    """
    reach = _NEAR_ROWS + _THIN_ROWS
    rows = np.rint(border).astype(np.intp) + np.arange(-reach, reach + 1)[:, np.newaxis]
    columns = np.arange(pixels.shape[1])
    near = pixels[np.clip(rows, 0, pixels.shape[0] - 1), columns]
    grey = np.rint(np.clip(near, 0, 1) * (_LEVELS - 1)).astype(np.intp)
    middle = grey[_THIN_ROWS:-_THIN_ROWS]
    thin = np.abs(middle - grey[: -2 * _THIN_ROWS]) > _SAME
    thin &= np.abs(middle - grey[2 * _THIN_ROWS :]) > _SAME
    has = np.zeros((_LEVELS, pixels.shape[1]), np.bool_)
    row, column = np.nonzero(thin)
    has[middle[row, column], column] = True
    return _favourite(has.mean(axis=1), 0 if black_too else 1)


def _favourite(share: NDArray[np.float64], first: int) -> float:
    """Return by how much the most common grey value from `first` up exceeds those near it."""
    padded = np.pad(share, _OTHERS)
    others = np.zeros(_LEVELS)
    for step in (*range(-_OTHERS, -_SAME), *range(_SAME + 1, _OTHERS + 1)):
        others = np.maximum(others, padded[_OTHERS + step :][:_LEVELS])
    others[-1 - _SAME :] = share[-_BELOW_FULL : -1 - _SAME].sum()
    return float((share - others)[first:].max())

"""A border between two layers, from the row of a path to a smooth line with parts of a row."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_MEDIAN_COLUMNS: Final = 9
_SMOOTH_COLUMNS: Final = 3.0


def refined(cost: NDArray[np.float32], path: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the rows where a parabola through the cost around the path is lowest, shape of path.

    At most half a row from the path; then a median and a Gaussian along the closed scan.
    """
    inside = np.clip(path, 1, cost.shape[0] - 2)
    columns = np.arange(len(path))
    above, here, below = (cost[inside + step, columns].astype(np.float64) for step in (-1, 0, 1))
    curvature = above - 2 * here + below
    bent = curvature > 1e-9
    offset = np.where(bent, 0.5 * (above - below) / np.where(bent, curvature, 1.0), 0.0)
    return smoothed(inside + np.clip(offset, -0.5, 0.5))


def smoothed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a line along the closed scan without outliers and fine jitter."""
    steady = ndimage.median_filter(rows, _MEDIAN_COLUMNS, mode="wrap")
    return np.asarray(ndimage.gaussian_filter1d(steady, _SMOOTH_COLUMNS, mode="wrap"))


def along(
    picture: NDArray[np.float32], line: NDArray[np.float64], first: int, last: int
) -> NDArray[np.float32]:
    """Return the picture straightened along a line: row 0 is `first` rows below it.

    float32, shape (last - first, columns); outside the picture its edge is repeated.
    """
    # The rows asked for lie whole rows apart: one fetch serves both neighbours of each.
    upper = np.floor(line).astype(np.intp)
    share = (line - upper).astype(np.float32)
    rows = np.clip(upper + np.arange(first, last + 1)[:, np.newaxis], 0, picture.shape[0] - 1)
    columns = picture.shape[1]
    fetched = np.take(picture, rows * columns + np.arange(columns))
    straight: NDArray[np.float32] = fetched[:-1] * (1 - share)
    straight += fetched[1:] * share
    return straight


def rows_of(depth_um: float, row_um: float) -> int:
    """Return how many rows a depth is."""
    return round(depth_um / row_um)

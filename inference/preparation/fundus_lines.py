"""The vessels of a photograph: where they are, and where the lines along them meet."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, grey_closing

#: Vessels on the overview are narrower than this.
_VESSEL_PX: Final = 9
#: Darker than the light around by this much (logarithm) begins and is surely a vessel.
_VESSEL_FROM, _VESSEL_SURE = 0.06, 0.16
_MOST_VESSEL_PIXELS: Final = 4000
#: Each piece of a vessel points this far both ways, in this many directions told apart.
_REACH_PX: Final = 60
_DIRECTIONS: Final = 8
_VOTE_SMOOTH_PX: Final = 4.0


def vessels_of(log_light: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how surely each pixel of an overview is a vessel, 0 to 1."""
    smooth = gaussian_filter(log_light, 0.8)
    deep = grey_closing(smooth, size=(_VESSEL_PX, _VESSEL_PX)) - smooth
    return np.clip((deep - _VESSEL_FROM) / (_VESSEL_SURE - _VESSEL_FROM), 0, 1)


def convergence_of(log_light: NDArray[np.floating], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how many lines along vessels meet at each pixel, each direction counted by its root.

    Parameters
    ----------
    log_light, seen
        Same shape (rows, columns): logarithm of the evened light, and the field of view.
    """
    vessels = vessels_of(log_light) * seen
    rows, columns = np.nonzero(vessels > 0.5)
    if len(rows) > _MOST_VESSEL_PIXELS:
        kept = np.linspace(0, len(rows) - 1, _MOST_VESSEL_PIXELS).astype(np.intp)
        rows, columns = rows[kept], columns[kept]
    direction = _vessel_direction(log_light)[rows, columns]
    reach = np.arange(-_REACH_PX, _REACH_PX + 1)
    at_row = np.rint(rows[:, np.newaxis] + np.outer(np.sin(direction), reach)).astype(np.intp)
    at_column = np.rint(columns[:, np.newaxis] + np.outer(np.cos(direction), reach)).astype(np.intp)
    height, width = vessels.shape
    sector = (direction / np.pi * _DIRECTIONS).astype(np.intp) % _DIRECTIONS
    inside = (at_row >= 0) & (at_row < height) & (at_column >= 0) & (at_column < width)
    place = (sector[:, np.newaxis] * height + at_row) * width + at_column
    counts = np.bincount(place[inside], minlength=_DIRECTIONS * height * width)
    counts = counts.reshape(_DIRECTIONS, height, width).astype(np.float64)
    smooth = gaussian_filter(counts, (0, _VOTE_SMOOTH_PX, _VOTE_SMOOTH_PX))
    total: NDArray[np.float64] = np.sqrt(smooth).sum(axis=0)
    return total


def _vessel_direction(log_light: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the direction along the darkest line through each pixel, 0 to π from right to down."""
    smooth = gaussian_filter(log_light, 1.5)
    down, right = np.gradient(smooth)
    down_down, _ = np.gradient(down)
    right_down, right_right = np.gradient(right)
    # Across a dark line the light curves most.
    across = 0.5 * np.arctan2(2 * right_down, right_right - down_down)
    return np.asarray((across + np.pi / 2) % np.pi)

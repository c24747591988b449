"""Where nerve fibres run on the retina: from any place back to where they cross the 12° circle.

Source: Jansonius' formulas of the bundles as coded in the visualFields package; not checked against
the papers, and the fibres of one eye may lie 9° beside them.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Inside this distance from the disc's centre the bundles run straight outward.
_STRAIGHT_DEGREE: Final = 4.0
#: The profile is measured there.
CIRCLE_RADIUS_DEGREE: Final = 6.0
_FARTHEST_DEGREE: Final = 45.0
_STEPS: Final = 165
_ANGLES: Final = 720
#: Below this angle a bundle belongs to the papillomacular or the nasal formula.
_POLAR_FROM_DEGREE: Final = 60.0


def circle_angles_degree(
    distance_degree: NDArray[np.floating], angle_degree: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return the TSNIT angle at which the fibres of each place cross the 12° circle, 0 to 360.

    Parameters
    ----------
    distance_degree, angle_degree
        Same shape: distance from the disc's centre and TSNIT angle of each place.
    """
    bent = _bent_degree()
    row = (distance_degree - _STRAIGHT_DEGREE) / (_FARTHEST_DEGREE - _STRAIGHT_DEGREE)
    row_index = np.rint(np.clip(row, 0, 1) * (_STEPS - 1)).astype(np.intp)
    column_index = np.rint(angle_degree % 360 * _ANGLES / 360).astype(np.intp)
    return np.asarray((angle_degree + bent[row_index, column_index]) % 360, np.float32)


@cache
def _bent_degree() -> NDArray[np.float32]:
    """Return how far bundles have turned since the circle, shape (165, 721), by distance, angle."""
    start = np.linspace(-180, 180, 2 * _ANGLES + 1)
    wanted = np.arange(_ANGLES + 1) * 360 / _ANGLES
    at_circle = (180 - _bundle_degree(start, CIRCLE_RADIUS_DEGREE)) % 360
    rows = []
    for distance in np.linspace(_STRAIGHT_DEGREE, _FARTHEST_DEGREE, _STEPS):
        angle = (180 - _bundle_degree(start, float(distance))) % 360
        order = np.argsort(angle)
        turned = (at_circle[order] - angle[order] + 180) % 360 - 180
        rows.append(np.interp(wanted, angle[order], turned, period=360))
    return np.asarray(rows, np.float32)


def _bundle_degree(
    start_degree: NDArray[np.float64], distance_degree: float
) -> NDArray[np.float64]:
    """Return where bundles leaving at these angles are: 0 nasal, 90 superior, ±180 temporal."""
    beyond = max(distance_degree - _STRAIGHT_DEGREE, 0.0)
    upper = start_degree >= 0
    tanh = np.where(upper, np.tanh((start_degree - 121) / 14), np.tanh((-start_degree - 90) / 25))
    power = np.where(upper, 1.9 + 1.4 * tanh, 1.0 + 0.5 * tanh)
    arched = np.where(upper, np.exp(-1.9 - 3.9 * tanh), -np.exp(0.7 - 1.5 * tanh))
    nasal = 0.00083 * start_degree**2 + 0.020 * start_degree - 2.65
    slope = np.where(np.abs(start_degree) >= _POLAR_FROM_DEGREE, arched, nasal)
    moved = start_degree + slope * beyond**power
    # No bundle crosses the raphe.
    return np.where(upper, np.clip(moved, 0, 179.9), np.clip(moved, -179.9, 0))

"""Where points of the retina lie in the grid of a volume or a thickness map."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_ANGLES_DEGREE
from core.values.scan import GridGeometry

#: The circle every profile is measured on, the one the devices' own disc programs report.
CIRCLE_DIAMETER_MM: Final = 3.46


@dataclass(frozen=True)
class Neighbours:
    """The four places of a grid around each point, and what each counts.

    Attributes
    ----------
    rows, columns
        Integer, shape (4, points).
    weights
        float64, shape (4, points); they add up to 1.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    weights: NDArray[np.float64]


def circle_mm(centre_mm: tuple[float, float], wider_mm: float = 0.0) -> NDArray[np.float64]:
    """Return the 768 points of the circle around a centre, shape (768, 2), in the frame's mm.

    With `wider_mm` of one whose radius is longer by that.
    """
    angles = np.deg2rad(PROFILE_ANGLES_DEGREE)
    directions = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    return np.asarray(centre_mm) + (0.5 * CIRCLE_DIAMETER_MM + wider_mm) * directions


def points_mm(geometry: GridGeometry, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return where each place of a grid lies, shape (rows, columns, 2), in the frame's mm."""
    row, column = np.indices(shape)[..., np.newaxis]
    return np.asarray(
        np.asarray(geometry.origin_mm)
        + row * np.asarray(geometry.row_step_mm)
        + column * np.asarray(geometry.column_step_mm)
    )


def places(geometry: GridGeometry, wanted_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return row and column, in parts, of points of shape (points, 2); the same shape."""
    steps = np.array((geometry.row_step_mm, geometry.column_step_mm))
    return np.asarray((wanted_mm - np.asarray(geometry.origin_mm)) @ np.linalg.inv(steps))


def neighbours(places_px: NDArray[np.float64], shape: tuple[int, int]) -> Neighbours:
    """Return what to blend for a value at each place: linear along rows and along columns.

    Every place must lie on the grid; see `on_grid`.
    """
    first = np.clip(places_px.astype(np.intp), 0, np.array(shape) - 2)
    row_share, column_share = (places_px - first).T
    row, column = first.T
    return Neighbours(
        rows=np.stack((row, row, row + 1, row + 1)),
        columns=np.stack((column, column + 1, column, column + 1)),
        weights=np.stack(
            (
                (1 - row_share) * (1 - column_share),
                (1 - row_share) * column_share,
                row_share * (1 - column_share),
                row_share * column_share,
            )
        ),
    )


def on_grid(places_px: NDArray[np.float64], shape: tuple[int, int]) -> bool:
    """Whether every place lies between the first and the last row and column."""
    return bool((places_px >= 0).all() and (places_px <= np.array(shape) - 1).all())

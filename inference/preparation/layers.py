"""The borders of the nerve fibre layer in a standardised B-scan, by shortest path.

Costs are in standardised grey values. Their weights were set in the middle of a broad optimum on
one real circle scan and on simulated scans of thin layers, and hold for the grid of `working_grid`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.preparation.border import along, refined, rows_of, smoothed
from inference.preparation.shadows import without_shadows
from inference.preparation.shortest_path import closed_shortest_path

STEP_ROWS: Final = 2
_OVERLAP_COLUMNS: Final = 100

#: A device draws its line this far below the steepest rise of grey. The one correction there is: it
#: makes the mean thickness of one real scan the device's, and leaves simulated ones within 1 µm.
_ILM_EDGE_UM: Final = 2.28
_ILM_BLUR: Final = (2.0, 6.0)
_ILM_TRUNCATE: Final = 3.0
_ILM_STEP_PENALTY: Final = 0.01
_ILM_GRADIENT_WEIGHT: Final = 10.0
#: What lies above the membrane is dark: each row brighter than this counts against it.
_VITREOUS_LEVEL: Final = 0.35
_BRIGHT_ABOVE_WEIGHT: Final = 0.02
_BRIGHT_ABOVE_LIMIT: Final = 20.0

#: Depth below the inner limiting membrane where the photoreceptors and their epithelium may lie.
OUTER_BAND_UM: Final = (190.0, 650.0)
_OUTER_BLUR: Final = (3.0, 4.0)
_OUTER_STEP_PENALTY: Final = 0.05
_OUTER_SMOOTH_COLUMNS: Final = 8.0

#: Depth below the inner limiting membrane where the lower border may lie.
NERVE_FIBRES_UM: Final = (12.0, 280.0)
#: It lies at least this far above the outer band: ganglion cells to photoreceptors are between.
_LEAST_INNER_RETINA_UM: Final = 60.0
_RNFL_BLUR: Final = (1.5, 3.0)
_RNFL_STEP_PENALTY: Final = 0.1
_RNFL_GRADIENT_WEIGHT: Final = 5.0
_REGION_ROWS: Final = 7
_REGION_WEIGHT: Final = 1.0
#: Above the border it is about as bright as just below the membrane. Weaker, and the search takes
#: the next border down in places where the layer is thin or its grain coarse.
_FIBRE_SHARE: Final = 0.9
_DIM_ABOVE_WEIGHT: Final = 3.0
_FIBRE_SAMPLE_UM: Final = (8.0, 30.0)
_FORBIDDEN: Final = 3.0


@dataclass(frozen=True)
class FoundLayers:
    """Borders in rows of the picture, 0 the centre of the top row, each of shape (columns,).

    Attributes
    ----------
    ilm, rnfl
        Inner limiting membrane and lower border of the nerve fibre layer.
    outer_band
        The bright band of photoreceptors and pigment epithelium.
    ilm_path
        Row of the membrane before smoothing, integer; the other borders are float64.
    """

    ilm: NDArray[np.float64]
    rnfl: NDArray[np.float64]
    outer_band: NDArray[np.float64]
    ilm_path: NDArray[np.intp]


def find_layers(picture: NDArray[np.float32], row_um: float) -> FoundLayers:
    """Return the borders in a standardised picture with rows `row_um` micrometre apart."""
    ilm_path, ilm = _inner_limiting_membrane(picture, row_um)
    outer_band = _outer_band(picture, ilm, row_um)
    rnfl = _nerve_fibre_border(picture, ilm, outer_band, row_um)
    return FoundLayers(ilm, rnfl, outer_band, ilm_path)


def _inner_limiting_membrane(
    picture: NDArray[np.float32], row_um: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    blurred = ndimage.gaussian_filter(
        picture, _ILM_BLUR, mode=("nearest", "wrap"), truncate=_ILM_TRUNCATE
    )
    bright_above = np.maximum(blurred - _VITREOUS_LEVEL, 0)
    # Row by row: a cumulative sum down the columns takes ten times as long.
    for above, here in pairwise(bright_above):
        np.add(here, above, out=here)
    cost = -_ILM_GRADIENT_WEIGHT * np.gradient(blurred, axis=0)
    cost += _BRIGHT_ABOVE_WEIGHT * np.minimum(bright_above, _BRIGHT_ABOVE_LIMIT)
    path = closed_shortest_path(cost, STEP_ROWS, _ILM_STEP_PENALTY, _OVERLAP_COLUMNS)
    return path, refined(cost, path) + _ILM_EDGE_UM / row_um


def _outer_band(
    picture: NDArray[np.float32], ilm: NDArray[np.float64], row_um: float
) -> NDArray[np.float64]:
    first, last = (rows_of(depth, row_um) for depth in OUTER_BAND_UM)
    above = ndimage.gaussian_filter1d(ilm, _OUTER_SMOOTH_COLUMNS, mode="wrap")
    straight = along(picture, above, first, last)
    cost = -ndimage.gaussian_filter(straight, _OUTER_BLUR, mode=("nearest", "wrap"))
    path = closed_shortest_path(cost, STEP_ROWS, _OUTER_STEP_PENALTY, _OVERLAP_COLUMNS)
    rows = smoothed(above + first + path)
    return np.asarray(ndimage.gaussian_filter1d(rows, _OUTER_SMOOTH_COLUMNS, mode="wrap"))


def _nerve_fibre_border(
    picture: NDArray[np.float32],
    ilm: NDArray[np.float64],
    outer_band: NDArray[np.float64],
    row_um: float,
) -> NDArray[np.float64]:
    """Search in the picture straightened along the outer band: the border follows it smoothly."""
    shallow, deep = (depth / row_um for depth in NERVE_FIBRES_UM)
    highest = ilm + shallow
    lowest = np.minimum(ilm + deep, outer_band - _LEAST_INNER_RETINA_UM / row_um)
    margin = _REGION_ROWS + 3
    first = int(np.floor((highest - outer_band).min())) - margin
    last = max(int(np.ceil((lowest - outer_band).max())), first + margin) + margin
    straight = along(picture, outer_band, first, last)
    rows = outer_band + np.arange(first, last)[:, np.newaxis]
    straight = without_shadows(straight, rows - ilm, picture, outer_band, row_um)
    cost = _fibre_border_cost(straight, (rows - ilm) * row_um)
    outside = (rows < highest) | (rows > lowest)
    cost[outside] = cost.max() + _FORBIDDEN
    path = closed_shortest_path(cost, STEP_ROWS, _RNFL_STEP_PENALTY, _OVERLAP_COLUMNS)
    return outer_band + first + refined(cost, path)


def _fibre_border_cost(
    straight: NDArray[np.float32], depth_um: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the cost of the border in each pixel; low where bright ends and dark begins."""
    blurred = ndimage.gaussian_filter(straight, _RNFL_BLUR, mode=("nearest", "wrap"))
    mean = ndimage.uniform_filter1d(blurred, _REGION_ROWS, axis=0, mode="nearest")
    reach = _REGION_ROWS // 2 + 1
    above, below = np.roll(mean, reach, axis=0), np.roll(mean, -reach, axis=0)
    cost = _RNFL_GRADIENT_WEIGHT * np.gradient(blurred, axis=0)
    cost -= _REGION_WEIGHT * (above - below)
    fibres = _FIBRE_SHARE * _fibre_level(blurred, depth_um)
    cost += _DIM_ABOVE_WEIGHT * np.maximum(fibres - above, 0)
    return np.asarray(cost, np.float32)


def _fibre_level(
    blurred: NDArray[np.float32], depth_um: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return how bright the nerve fibres are just below the membrane, shape (columns,)."""
    near = (depth_um > _FIBRE_SAMPLE_UM[0]) & (depth_um < _FIBRE_SAMPLE_UM[1])
    level = (blurred * near).sum(axis=0) / np.maximum(near.sum(axis=0), 1)
    level = np.minimum(ndimage.gaussian_filter1d(level, 10.0, mode="wrap"), 1.0)
    return np.asarray(level, np.float32)

"""The field as the grey scale map that perimeters print: bands of 5 dB, dark is little seen."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from core.perimetry import pattern
from core.values.laterality import Laterality
from core.values.prediction import FieldEstimate

#: Half the side of the map in degree from fixation.
HALF_SIDE_DEGREE: Final = 30.0
_PIXELS_PER_DEGREE: Final = 4
_BAND_DB: Final = 5.0
_MOST_DB: Final = 40.0
BANDS: Final = int(_MOST_DB / _BAND_DB)

#: Grey value, 0 black to 1 white, of each band of 5 dB, the lowest first; bent so that a normal
#: field is as light as perimeters print it.
SHADES: Final[NDArray[np.float64]] = 0.96 * np.linspace(0, 1, BANDS) ** 0.65


def grey_scale(estimate: FieldEstimate, laterality: Laterality) -> NDArray[np.float64]:
    """Return the map as the patient sees the field, top row first, NaN outside the pattern.

    Between the points the sensitivity is interpolated (linear radial basis functions); the two
    places at the blind spot are interpolated too and have to be marked by whoever draws the map.

    Returns
    -------
    NDArray
        float64, shape (240, 240), grey values 0 (black) to 1 (white).
    """
    x, y, inside = _map_of(laterality)
    points = np.column_stack([pattern.x_as_patient_sees(laterality), pattern.Y_DEGREE])
    interpolator = RBFInterpolator(points, estimate.sensitivities_db, kernel="linear")
    values = interpolator(np.column_stack([x[inside], y[inside]]))
    band = np.clip(values // _BAND_DB, 0, BANDS - 1).astype(int)
    drawn = np.full(x.shape, np.nan)
    drawn[inside] = SHADES[band]
    return drawn


@cache
def _map_of(
    laterality: Laterality,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return x and y of each place of the map, and whether it lies in the pattern of that eye."""
    count = int(2 * HALF_SIDE_DEGREE * _PIXELS_PER_DEGREE)
    axis = (np.arange(count) + 0.5) / _PIXELS_PER_DEGREE - HALF_SIDE_DEGREE
    x, y = np.meshgrid(axis, -axis)
    return x, y, _inside(x, y, laterality)


def _inside(
    x: NDArray[np.float64], y: NDArray[np.float64], laterality: Laterality
) -> NDArray[np.bool_]:
    """Return where a place lies within half a step of a place of the pattern."""
    half = pattern.SPACING_DEGREE / 2
    sign = pattern.mirror_sign(laterality)
    places_x = sign * np.concatenate([pattern.X_DEGREE, pattern.BLIND_SPOT_X_DEGREE])
    places_y = np.concatenate([pattern.Y_DEGREE, pattern.BLIND_SPOT_Y_DEGREE])
    near = (np.abs(x[..., np.newaxis] - places_x) <= half) & (
        np.abs(y[..., np.newaxis] - places_y) <= half
    )
    return np.asarray(near.any(axis=-1))

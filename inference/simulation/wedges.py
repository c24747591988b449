"""Field patterns made from structure first: bundles of lost fibres. Needs no patient's data.

How severe they are, how unequal the halves of the field and how the loss is spread over the disc
follow published summaries of followed eyes, never an eye itself; their forms are those of glaucoma.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.nerve_fibres import DISC_DISTANCE_DEGREE, ENTRY_ANGLES_DEGREE
from core.perimetry.pattern import Y_DEGREE
from core.values.prediction import FIELD_POINTS
from inference.simulation.noise import field_noise

#: Percentiles of the mean total deviation in dB of followed eyes (UWHVF); the ends are extended.
_MEAN_DB: Final = (
    (0, 1, 5, 10, 25, 50, 75, 90, 99, 100),
    (-28.0, -24.6, -17.8, -13.2, -5.9, -2.2, -0.4, 0.5, 1.9, 2.5),
)

#: What an eye would see without loss, as healthy people differ, and its points beside, in dB.
_HEIGHT_MEAN_DB, _HEIGHT_SD_DB, _POINT_SD_DB = 0.6, 1.1, 1.2

#: Losses of an eye at most; the angle on the disc each is centred on; its breadth and depth.
_MOST_WEDGES: Final = 4
_CENTRE_SD_DEGREE: Final = 30.0
_INFERIOR_CENTRE_DEGREE: Final = 285.0
_SUPERIOR_CENTRE_DEGREE: Final = 65.0
#: Glaucoma takes the inferior rim, and so the superior field, first: at moderate loss it is worse
#: by 2 dB and more in 45 % of eyes, the inferior in 26 %.
_INFERIOR_FRACTION: Final = 0.57
_PARACENTRAL_DEGREE: Final = (300.0, 320.0)
_HALF_WIDTH_DEGREE: Final = (8.0, 30.0)
_DEPTH: Final = (0.2, 1.0)
#: A loss fades over this SD beyond its width.
_EDGE_DEGREE: Final = 8.0
#: A nasal step spares the points nearer to the disc than this.
_NASAL_STEP_DEGREE: Final = 25.0

_ARCUATE, _NASAL_STEP, _PARACENTRAL, _ALTITUDINAL, _NONE = range(5)
_SHAPE_WEIGHTS: Final = (0.42, 0.25, 0.08, 0.13, 0.12)

#: Loss of the whole field beside the wedges, set so that the general height of moderate loss comes
#: near -2.7 dB and its spread within a field near 6.6 dB: median and log SD of its depth.
_DIFFUSE_MEDIAN, _DIFFUSE_LOG_SD = 0.4, 0.9
#: Loss is uneven within a field by this log SD.
_UNEVEN_LOG_SD: Final = 0.65

#: No point loses more than this in dB, and no pattern is lower, where the bank of real ones ends.
_DEEPEST_DB, _LOWEST_DB = 31.0, -36.0

#: The search for the depth that gives the mean: where it ends, and its halvings.
_LARGEST_SCALE_DB: Final = 2000.0
_HALVINGS: Final = 40


@dataclass(frozen=True)
class WedgePatterns:
    """Total-deviation patterns of wedge-shaped bundle defects beside a diffuse loss."""

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Return that many patterns in dB, shape (count, 52), right-eye format."""
        mean_db = np.interp(rng.uniform(0, 100, count), *_MEAN_DB)
        height_db = np.maximum(rng.normal(_HEIGHT_MEAN_DB, _HEIGHT_SD_DB, count), mean_db)
        loss_db = _scaled_db(_form(rng, count), height_db - mean_db)
        points_db = _POINT_SD_DB * field_noise(rng, count)
        points_db -= points_db.mean(axis=1, keepdims=True)
        pattern_db = height_db[:, np.newaxis] + points_db - loss_db
        return np.asarray(np.maximum(pattern_db, _LOWEST_DB), dtype=np.float64)


def _form(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return how the loss of each eye is spread over the points, shape (count, 52), above 0."""
    wedges = rng.integers(1, _MOST_WEDGES + 1, size=count)
    diffuse = _DIFFUSE_MEDIAN * np.exp(_DIFFUSE_LOG_SD * rng.standard_normal((count, 1)))
    form = np.tile(diffuse, (1, FIELD_POINTS))
    for wedge in range(_MOST_WEDGES):
        form += np.where((wedge < wedges)[:, np.newaxis], _wedge(rng, count), 0)
    return np.asarray(form * np.exp(_UNEVEN_LOG_SD * field_noise(rng, count)), dtype=np.float64)


def _wedge(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return the relative loss one wedge per eye makes at each point, shape (count, 52), 0 to 1."""
    shape = rng.choice(len(_SHAPE_WEIGHTS), p=_SHAPE_WEIGHTS, size=count)[:, np.newaxis]
    is_inferior = (rng.random((count, 1)) < _INFERIOR_FRACTION) | (shape == _PARACENTRAL)
    centre = np.where(is_inferior, _INFERIOR_CENTRE_DEGREE, _SUPERIOR_CENTRE_DEGREE)
    centre = centre + rng.normal(0, _CENTRE_SD_DEGREE, (count, 1))
    centre = np.where(shape == _PARACENTRAL, rng.uniform(*_PARACENTRAL_DEGREE, (count, 1)), centre)
    distance = np.abs((ENTRY_ANGLES_DEGREE - centre + 180) % 360 - 180)
    beyond = np.maximum(distance - rng.uniform(*_HALF_WIDTH_DEGREE, (count, 1)), 0)
    lost = np.exp(-0.5 * (beyond / _EDGE_DEGREE) ** 2)
    # The fibres of one half of the field do not cross the raphe.
    same_half = (Y_DEGREE > 0) == is_inferior
    lost = np.where(shape == _ALTITUDINAL, 1.0, lost) * np.where(same_half, 1.0, 0.0)
    is_spared = (shape == _NONE) | (
        (shape == _NASAL_STEP) & (DISC_DISTANCE_DEGREE < _NASAL_STEP_DEGREE)
    )
    return np.where(is_spared, 0.0, rng.uniform(*_DEPTH, (count, 1)) * lost)


def _scaled_db(form: NDArray[np.float64], mean_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loss of that form with that mean in dB, no point deeper than can be lost."""
    low, high = np.zeros((len(form), 1)), np.full((len(form), 1), _LARGEST_SCALE_DB)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = np.minimum(middle * form, _DEEPEST_DB).mean(axis=1, keepdims=True)
        is_less = found < mean_db[:, np.newaxis]
        low, high = np.where(is_less, middle, low), np.where(is_less, high, middle)
    return np.minimum(high * form, _DEEPEST_DB)

"""Field patterns made from structure first: wedges of lost fibres. Needs no patient's data."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.nerve_fibres import DISC_DISTANCE_DEGREE, ENTRY_ANGLES_DEGREE
from core.values.prediction import FIELD_POINTS

_MOST_WEDGES: Final = 3
_CENTRE_SD_DEGREE: Final = 12.0
_INFERIOR_CENTRE_DEGREE: Final = 285.0
_SUPERIOR_CENTRE_DEGREE: Final = 65.0
#: Glaucoma takes the inferior rim, and so the superior field, first: 45 % against 26 % of eyes.
_INFERIOR_FRACTION: Final = 0.63
_PARACENTRAL_DEGREE: Final = (300.0, 320.0)
_WIDTH_DEGREE: Final = (10.0, 40.0)
#: A nasal step spares the points nearer to the disc than this.
_NASAL_STEP_DEGREE: Final = 25.0
_SHAPE_WEIGHTS: Final = (0.6, 0.25, 0.15)
_LEAST_KEPT: Final = 10**-3.6
_ARCUATE, _NASAL_STEP, _PARACENTRAL = range(3)


@dataclass(frozen=True)
class WedgePatterns:
    """Total-deviation patterns of one to three wedge-shaped bundle defects."""

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Return that many patterns in dB, shape (count, 52), right-eye format."""
        kept = np.ones((count, FIELD_POINTS))
        wedges = rng.integers(1, _MOST_WEDGES + 1, size=count)
        for wedge in range(_MOST_WEDGES):
            lost = _wedge_loss(rng, count)
            kept *= np.where((wedge < wedges)[:, np.newaxis], 1 - lost, 1)
        depth_db: NDArray[np.float64] = 10 * np.log10(np.maximum(kept, _LEAST_KEPT))
        return depth_db


def _wedge_loss(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return the share of fibres one wedge per eye takes from each point, shape (count, 52)."""
    shape = rng.choice(len(_SHAPE_WEIGHTS), p=_SHAPE_WEIGHTS, size=count)
    centre = np.where(
        rng.random(count) < _INFERIOR_FRACTION, _INFERIOR_CENTRE_DEGREE, _SUPERIOR_CENTRE_DEGREE
    ) + rng.normal(0, _CENTRE_SD_DEGREE, count)
    centre = np.where(shape == _PARACENTRAL, rng.uniform(*_PARACENTRAL_DEGREE, count), centre)
    width, depth = rng.uniform(*_WIDTH_DEGREE, count), rng.random(count)
    distance = np.abs((ENTRY_ANGLES_DEGREE - centre[:, np.newaxis] + 180) % 360 - 180)
    inside = distance <= width[:, np.newaxis] / 2
    spared = (shape == _NASAL_STEP)[:, np.newaxis] & (DISC_DISTANCE_DEGREE < _NASAL_STEP_DEGREE)
    return np.where(inside & ~spared, depth[:, np.newaxis], 0.0)

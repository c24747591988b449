"""The retinal nerve fibre layer around the optic disc, in the frame both eyes share."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.reason import Reason
from core.values.scan import CircleGeometry

PROFILE_SAMPLES: Final = 768
DEGREES_PER_SAMPLE: Final = 360 / PROFILE_SAMPLES

#: TSNIT angle of each profile sample in degree: 0 temporal, 90 superior, 180 nasal, 270 inferior.
PROFILE_ANGLES_DEGREE: Final[NDArray[np.float64]] = (
    np.arange(PROFILE_SAMPLES, dtype=np.float64) + 0.5
) * DEGREES_PER_SAMPLE

#: First and last TSNIT angle of each disc sector in degree, counted in TSNIT order (Spectralis).
SECTOR_LIMITS_DEGREE: Final[dict[str, tuple[float, float]]] = {
    "T": (-45.0, 45.0),
    "TS": (45.0, 85.0),
    "NS": (85.0, 125.0),
    "N": (125.0, 235.0),
    "NI": (235.0, 275.0),
    "TI": (275.0, 315.0),
}


@dataclass(frozen=True)
class Quality:
    """Whether a scan is good enough, and why not.

    Attributes
    ----------
    assessable
        False means no field may be estimated from it.
    score
        0 (useless) to 1 (clean).
    reasons
        Empty when assessable.
    """

    assessable: bool
    score: float
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Layers:
    """The borders found in the B-scan, for drawing.

    Attributes
    ----------
    ilm_row, rnfl_row
        float32, shape (columns,), image row (sub-pixel, 0 at the centre of the top row) of the
        inner limiting membrane and of the lower border of the nerve fibre layer, in image column
        order.
    """

    ilm_row: NDArray[np.float32]
    rnfl_row: NDArray[np.float32]


@dataclass(frozen=True)
class Profile:
    """Nerve fibre layer thickness around the disc.

    Attributes
    ----------
    thickness_um
        float32, shape (768,), micrometre; sample k at (k + 0.5)·360/768 degree TSNIT for both eyes.
    quality
        Whether it may be used.
    layers
        The borders it was measured between; None for a profile that came without an image.
    picture
        What it was measured in, for people: float32, shape (rows, columns), 0 to 1. A B-scan in
        which `layers` lie, or a thickness map as grey values; None without an image.
    circle
        The circle it was measured on, whose A-scans are the columns of a B-scan in `picture`; None
        for a profile that came without an image.
    """

    thickness_um: NDArray[np.float32]
    quality: Quality
    layers: Layers | None = None
    picture: NDArray[np.float32] | None = None
    circle: CircleGeometry | None = None

    @property
    def mean_um(self) -> float:
        """Mean thickness of all samples in micrometre."""
        return float(np.mean(self.thickness_um))

    @property
    def sectors_um(self) -> dict[str, float]:
        """Mean thickness of each disc sector T, TS, NS, N, NI, TI in micrometre."""
        return sector_means(self.thickness_um)


def sector_means(thickness_um: NDArray[np.float32]) -> dict[str, float]:
    """Return the mean of a 768-sample profile in each disc sector, in the profile's unit."""
    means = {}
    for name, (first, last) in SECTOR_LIMITS_DEGREE.items():
        inside = (PROFILE_ANGLES_DEGREE - first) % 360 < last - first
        means[name] = float(np.mean(thickness_um[inside]))
    return means

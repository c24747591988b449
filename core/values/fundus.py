"""The retina around the disc in a photograph, unrolled into the frame both eyes share."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import Quality

FUNDUS_ANGLES: Final = 128
FUNDUS_RADII: Final = 24

#: What each place of a ring says of the retina; colour and grey photographs give the same four.
FUNDUS_CHANNELS: Final = ("brightness", "striation", "vessel", "seen")

#: Shape of one ring: angles, radii, channels.
FUNDUS_SHAPE: Final = (FUNDUS_ANGLES, FUNDUS_RADII, len(FUNDUS_CHANNELS))

#: Inner and outer end of a ring in disc radii: from within the cup to well outside the rim.
RING_LIMITS: Final = (0.3, 2.2)

#: TSNIT angle of the middle of each place in degree: 0 temporal, 90 superior, 180 nasal.
RING_ANGLES_DEGREE: Final[NDArray[np.float64]] = (
    (np.arange(FUNDUS_ANGLES, dtype=np.float64) + 0.5) * 360 / FUNDUS_ANGLES
)

#: Distance of the middle of each place from the disc's centre in disc radii; 1 is its edge.
RING_RADII: Final[NDArray[np.float64]] = RING_LIMITS[0] + (
    np.arange(FUNDUS_RADII, dtype=np.float64) + 0.5
) * ((RING_LIMITS[1] - RING_LIMITS[0]) / FUNDUS_RADII)


@dataclass(frozen=True)
class FundusDisc:
    """Where the optic disc lies in a photograph.

    Attributes
    ----------
    centre_row, centre_column
        In pixels of the photograph; (0, 0) is the corner of the first pixel.
    diameter_px
        Diameter of the circle of the same area, in pixels of the photograph.
    """

    centre_row: float
    centre_column: float
    diameter_px: float


@dataclass(frozen=True)
class PreparedFundus:
    """A photograph as a model reads it, and what people need to judge it.

    Attributes
    ----------
    ring
        float32, shape (128, 24, 4): angle in TSNIT order for both eyes, distance from the disc's
        centre (0.3 to 2.2 disc radii), channel. Brightness: natural logarithm of the light (green
        or grey) over the even light of the photograph, 0 at the retina around the disc. Striation:
        fine contrast across the nerve fibres, a share of the light. Vessel: share of the place
        under vessels, 0 to 1. Seen: share of the place inside the photograph, 0 to 1. NaN
        throughout where no disc was found.
    quality
        Whether a field may be estimated from it.
    disc
        The optic disc; None where it was not found.
    picture
        The photograph for people: float32, shape (rows, columns, 3), 0 to 1, at most 768 a side,
        turned as it came, with the disc's edge and the outer end of the ring drawn in.
    notes
        Warnings for people, without patient data.
    """

    ring: NDArray[np.float32]
    quality: Quality
    disc: FundusDisc | None
    picture: NDArray[np.float32]
    notes: tuple[str, ...] = ()

"""The optic nerve head of a simulated eye: where it lies, how wide it opens, how deep it cups."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Bruch's membrane opening between eyes: radius in mm and how much taller than wide it is.
_RADIUS_MM, _RADIUS_SD_MM = 0.86, 0.06
_RADIUS_LIMITS_MM: Final = (0.72, 1.0)
_OVAL, _OVAL_SD = 1.06, 0.05
_CUP_LIMITS: Final = (0.25, 0.75)
_CUP_DEPTH_LIMITS_UM: Final = (80.0, 350.0)


@dataclass(frozen=True)
class DiscShape:
    """A disc in the frame both eyes share, millimetre in (temporal, superior).

    Attributes
    ----------
    centre_mm
        Centre of Bruch's membrane opening.
    radii_mm
        Half axes of the opening, along the horizontal and the vertical.
    turned_degree
        How far its axes are turned from those, from temporal towards superior.
    cup_ratio
        Radius of the cup in parts of the opening's, 0 to 1.
    cup_depth_um
        Depth of the cup's floor below Bruch's membrane in micrometre.
    atrophy_mm
        Width on the temporal side of a crescent without pigment epithelium; 0 in most eyes.
    """

    centre_mm: tuple[float, float] = (0.0, 0.0)
    radii_mm: tuple[float, float] = (0.84, 0.89)
    turned_degree: float = 0.0
    cup_ratio: float = 0.5
    cup_depth_um: float = 200.0
    atrophy_mm: float = 0.0

    def margin_mm(self, angles_degree: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far the opening's margin lies from its centre at each TSNIT angle, mm."""
        turned = np.deg2rad(angles_degree - self.turned_degree)
        horizontal, vertical = self.radii_mm
        return np.asarray(
            1 / np.hypot(np.cos(turned) / horizontal, np.sin(turned) / vertical), np.float64
        )


@dataclass(frozen=True)
class DiscView:
    """Points of the retina seen from the disc's centre.

    Attributes
    ----------
    radius_mm, angle_degree
        float64, the same shape: distance, and TSNIT angle from 0 to 360.
    """

    radius_mm: NDArray[np.float64]
    angle_degree: NDArray[np.float64]

    @classmethod
    def of(cls, points_mm: NDArray[np.float64], disc: DiscShape) -> "DiscView":
        """Return points of shape (…, 2), (temporal, superior) in mm, as seen from a disc."""
        temporal, superior = np.moveaxis(points_mm - np.asarray(disc.centre_mm), -1, 0)
        angle = np.rad2deg(np.arctan2(superior, temporal)) % 360
        return cls(np.hypot(temporal, superior), angle)


def draw_disc(rng: np.random.Generator, largest_offset_mm: float = 0.8) -> DiscShape:
    """Return the disc of one eye, off the middle of the field by at most that much each way."""
    temporal, superior = rng.uniform(-largest_offset_mm, largest_offset_mm, 2)
    radius = float(np.clip(rng.normal(_RADIUS_MM, _RADIUS_SD_MM), *_RADIUS_LIMITS_MM))
    oval = float(rng.normal(_OVAL, _OVAL_SD))
    return DiscShape(
        centre_mm=(float(temporal), float(superior)),
        radii_mm=(radius / oval**0.5, radius * oval**0.5),
        turned_degree=float(rng.normal(0, 15)),
        cup_ratio=float(rng.uniform(*_CUP_LIMITS)),
        cup_depth_um=float(rng.uniform(*_CUP_DEPTH_LIMITS_UM)),
    )

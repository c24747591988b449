"""What living patients do to a circle scan: they move, sit off centre, and have other fundi."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.simulation.retina import LAYERS, Retina
from inference.simulation.smooth_noise import smooth_noise

#: Radius of the circle.
RADIUS_MM: Final = 1.75

#: The temporal side of the disc is where the outer retina wastes.
ATROPHY_CENTRE_DEGREE: Final = 0.0
_ATROPHY_EDGE_DEGREE: Final = 6.0
#: What is left of the layers of photoreceptors and pigment epithelium, and what light gains below.
_ATROPHIC_LAYERS: Final = (
    "outer nuclear layer",
    "external limiting membrane",
    "inner segments",
    "ellipsoid zone",
    "interdigitation zone",
    "pigment epithelium",
)
_LEFT_THICKNESS: Final = 0.35
_LEFT_REFLECTIVITY: Final = 0.12
_DEEP_GAIN: Final = 4.0


def motion_rows(rng: np.random.Generator, columns: int, spread_rows: float) -> NDArray[np.float64]:
    """Return how far the eye moved at each column: two to five steps, zero where it is still.

    Parameters
    ----------
    spread_rows
        SD of one step in rows; 0 for an eye that holds still.
    """
    ends = np.sort(rng.integers(0, columns, int(rng.integers(2, 6))))
    steps = rng.normal(0, spread_rows, len(ends)) if spread_rows else np.zeros(len(ends))
    position = np.zeros(columns)
    for first, step in zip(ends, steps, strict=True):
        position[first:] += step
    return np.asarray(position - position.mean())


def decentred(
    angles_degree: NDArray[np.float64], offset_mm: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where a circle off the disc really samples it.

    Parameters
    ----------
    angles_degree
        TSNIT angle of each A-scan around the circle's own centre.
    offset_mm
        (temporal, superior) distance of that centre from the disc's.

    Returns
    -------
    tuple
        TSNIT angle around the disc, and distance from it in radii of the circle.
    """
    radians = np.deg2rad(angles_degree)
    temporal = np.cos(radians) + offset_mm[0] / RADIUS_MM
    superior = np.sin(radians) + offset_mm[1] / RADIUS_MM
    angle = np.rad2deg(np.arctan2(superior, temporal)) % 360
    return angle, np.hypot(temporal, superior)


def atrophy_share(
    rng: np.random.Generator, angles_degree: NDArray[np.float64], width_degree: float
) -> NDArray[np.float64]:
    """Return how far the outer retina is gone at each angle, 0 to 1, around the temporal side."""
    distance = np.abs((angles_degree - ATROPHY_CENTRE_DEGREE + 180) % 360 - 180)
    ragged = _ATROPHY_EDGE_DEGREE * smooth_noise(rng, angles_degree.shape, 12.0)
    inside = (width_degree / 2 - distance + ragged) / _ATROPHY_EDGE_DEGREE
    return np.clip(inside, 0, 1) if width_degree else np.zeros_like(angles_degree)


def thinned(
    layers_um: dict[str, NDArray[np.float64]], share: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the layers' thickness with the outer retina wasted by that share."""
    left = 1 - (1 - _LEFT_THICKNESS) * share
    return {
        name: thickness * left if name in _ATROPHIC_LAYERS else thickness
        for name, thickness in layers_um.items()
    }


def paled(retina: Retina, share: NDArray[np.float64]) -> Retina:
    """Return the retina with the wasted layers dim and the light behind them strong."""
    reflectivity = retina.reflectivity.copy()
    for index, name in enumerate(LAYERS):
        if name in _ATROPHIC_LAYERS:
            reflectivity[index] *= 1 - (1 - _LEFT_REFLECTIVITY) * share
    reflectivity[-2:] *= 1 + (_DEEP_GAIN - 1) * share
    return replace(retina, reflectivity=reflectivity)

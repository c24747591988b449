"""Retinal vessels around the disc: what crosses the circle and what it hides below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: The large vessels: how many, around which TSNIT angle, with which SD (None: anywhere).
ARCADES: Final = ((4, 75.0, 14.0), (4, 288.0, 14.0), (3, None, None))
SMALL_VESSELS: Final = 7


@dataclass(frozen=True)
class Vessel:
    """One vessel where it crosses the circle.

    Attributes
    ----------
    angle_degree
        TSNIT angle of the crossing.
    width_um
        Diameter of the vessel.
    bump_um
        How far it lifts the inner limiting membrane.
    shadow
        Share of the light it takes from everything below, 0 to 1.
    vein
        Veins are darker on the infrared picture.
    """

    angle_degree: float
    width_um: float
    bump_um: float
    shadow: float
    vein: bool


def draw_vessels(rng: np.random.Generator) -> tuple[Vessel, ...]:
    """Return the vessels of one eye: two arcades, some nasal and temporal ones, small branches."""
    large = [
        _large_vessel(rng, _crossing_degree(rng, centre, spread))
        for count, centre, spread in ARCADES
        for _ in range(count)
    ]
    small = [_small_vessel(rng) for _ in range(SMALL_VESSELS)]
    return (*large, *small)


def bumps_um(
    vessels: Sequence[Vessel], angles_degree: NDArray[np.float64], um_per_degree: float
) -> NDArray[np.float64]:
    """Return how far vessels lift the inner limiting membrane at each TSNIT angle, in µm."""
    lift = np.zeros_like(angles_degree)
    for vessel in vessels:
        lift += vessel.bump_um * _profile(vessel, angles_degree, um_per_degree)
    return lift


def transmission(
    vessels: Sequence[Vessel], angles_degree: NDArray[np.float64], um_per_degree: float
) -> NDArray[np.float64]:
    """Return the share of light that passes the vessels at each TSNIT angle, 0 to 1."""
    passed = np.ones_like(angles_degree)
    for vessel in vessels:
        passed *= 1 - vessel.shadow * _profile(vessel, angles_degree, um_per_degree)
    return passed


def _profile(
    vessel: Vessel, angles_degree: NDArray[np.float64], um_per_degree: float
) -> NDArray[np.float64]:
    """Return the vessel's cross-section along the scan, 1 in its middle, with soft edges."""
    distance_degree = (angles_degree - vessel.angle_degree + 180) % 360 - 180
    relative = distance_degree * um_per_degree / (0.5 * vessel.width_um)
    return np.asarray(np.exp(-(np.abs(relative) ** 2.5)))


def _crossing_degree(rng: np.random.Generator, centre: float | None, spread: float | None) -> float:
    if centre is None or spread is None:
        return float(rng.uniform(0, 360))
    return float(rng.normal(centre, spread) % 360)


def _large_vessel(rng: np.random.Generator, angle_degree: float) -> Vessel:
    return Vessel(
        angle_degree=angle_degree,
        width_um=float(rng.uniform(70, 170)),
        bump_um=float(rng.uniform(0, 12)),
        shadow=float(rng.uniform(0.75, 0.97)),
        vein=bool(rng.integers(2)),
    )


def _small_vessel(rng: np.random.Generator) -> Vessel:
    return Vessel(
        angle_degree=float(rng.uniform(0, 360)),
        width_um=float(rng.uniform(25, 60)),
        bump_um=0.0,
        shadow=float(rng.uniform(0.4, 0.8)),
        vein=bool(rng.integers(2)),
    )

"""Synthetic infrared pictures of the fundus: the disc, its vessels, the fovea on the right side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.values.laterality import Laterality
from inference.simulation.circle_course import Circle, mirrored_for
from inference.simulation.smooth_noise import smooth_noise
from inference.simulation.vessels import Vessel

SIZE: Final = 768
FIELD_DEGREE: Final = 30.0
PX_PER_DEGREE: Final = SIZE / FIELD_DEGREE

#: The disc lies nasal of the picture's middle, as when the patient looks at the inner target.
DISC_OFFSET_DEGREE: Final = 3.5

#: The fovea lies 15.5° temporal of the disc's centre and 1.9° below it (Garway-Heath 2000).
FOVEA_TEMPORAL_DEGREE: Final = 15.5
FOVEA_BELOW_DEGREE: Final = 1.9

#: Radius of a 12° circle.
CIRCLE_RADIUS_DEGREE: Final = 6.0

DISC_RADIUS_DEGREE: Final = 2.5

#: Retina in one degree of the picture, in µm.
UM_PER_DEGREE: Final = 300.0


@dataclass(frozen=True)
class _View:
    """Where every pixel lies seen from the disc, in degrees of the fundus and TSNIT degrees."""

    distance_degree: NDArray[np.float64]
    angle_degree: NDArray[np.float64]


def circle_on_localizer(
    laterality: Laterality, disc_offset_degree: float = DISC_OFFSET_DEGREE
) -> Circle:
    """Return the 12° circle round the disc, which lies that far nasal of the picture's middle."""
    nasal = 1 if laterality is Laterality.RIGHT else -1
    middle = SIZE / 2
    return Circle(
        centre_row=middle - 1.0 * PX_PER_DEGREE,
        centre_column=middle + nasal * disc_offset_degree * PX_PER_DEGREE,
        radius=CIRCLE_RADIUS_DEGREE * PX_PER_DEGREE,
    )


def fovea_on_localizer(laterality: Laterality, disc: Circle) -> tuple[float, float]:
    """Return row and column in pixels of the fovea that belongs to a disc."""
    temporal = -1 if laterality is Laterality.RIGHT else 1
    return (
        disc.centre_row + FOVEA_BELOW_DEGREE * PX_PER_DEGREE,
        disc.centre_column + temporal * FOVEA_TEMPORAL_DEGREE * PX_PER_DEGREE,
    )


def simulate_localizer(
    vessels: Sequence[Vessel],
    laterality: Laterality,
    rng: np.random.Generator,
    disc: Circle | None = None,
) -> NDArray[np.uint8]:
    """Return an infrared picture, shape (768, 768), on which these vessels leave the disc.

    Each vessel crosses the 12° circle where its shadow stands in the B-scan of the same eye.
    """
    disc = disc or circle_on_localizer(laterality)
    view = _view(laterality, disc)
    picture = _background(view, rng)
    picture -= 42 * _fovea_shade(laterality, disc)
    for vessel in vessels:
        picture *= _vessel_shade(vessel, view, rng)
    picture += 6 * gaussian_filter(rng.standard_normal(picture.shape), 0.8)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def _view(laterality: Laterality, disc: Circle) -> _View:
    row, column = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5, indexing="ij")
    up = (disc.centre_row - row) / PX_PER_DEGREE
    right = (column - disc.centre_column) / PX_PER_DEGREE
    picture_degree = np.rad2deg(np.arctan2(up, right))
    return _View(np.hypot(up, right), mirrored_for(laterality, picture_degree))


def _background(view: _View, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the fundus without vessels: brighter round the disc, the disc itself dark."""
    shape = view.distance_degree.shape
    cloudy = 9 * smooth_noise(rng, shape, 60.0) + 5 * smooth_noise(rng, shape, 6.0)
    halo = 58 * np.exp(-((view.distance_degree / 6.5) ** 2))
    bundles = np.abs(np.sin(np.deg2rad(view.angle_degree)))
    picture = 134 + cloudy + halo * (0.5 + 0.7 * bundles) - 0.055 * view.distance_degree**2
    edge = DISC_RADIUS_DEGREE * (1 + 0.07 * np.cos(np.deg2rad(2 * view.angle_degree + 180)))
    disc = 1 / (1 + np.exp(np.clip((view.distance_degree - edge) / 0.14, -30, 30)))
    cup = np.exp(-((view.distance_degree / 1.0) ** 2))
    return np.asarray(picture * (1 - 0.62 * disc + 0.16 * cup))


def _fovea_shade(laterality: Laterality, disc: Circle) -> NDArray[np.float64]:
    fovea_row, fovea_column = fovea_on_localizer(laterality, disc)
    row, column = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5, indexing="ij")
    distance_degree = np.hypot(row - fovea_row, column - fovea_column) / PX_PER_DEGREE
    return np.asarray(
        0.6 * np.exp(-((distance_degree / 2.6) ** 2))
        + 0.4 * np.exp(-((distance_degree / 0.7) ** 2))
    )


def _vessel_shade(vessel: Vessel, view: _View, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what a vessel leaves of the light: a dark line, bright along its middle."""
    radii_degree = np.linspace(0, view.distance_degree.max(), 400)
    path_degree = _path_degree(vessel, radii_degree, rng)
    path_degree = np.interp(view.distance_degree, radii_degree, path_degree)
    aside_degree = (view.angle_degree - path_degree + 180) % 360 - 180
    aside_um = np.deg2rad(aside_degree) * view.distance_degree * UM_PER_DEGREE
    near = (np.abs(aside_um) < 2 * vessel.width_um) & (np.abs(aside_degree) < 90)
    shade = np.ones_like(aside_um)
    shade[near] -= _darkness(vessel, aside_um[near], view.distance_degree[near])
    return shade


def _darkness(
    vessel: Vessel, aside_um: NDArray[np.float64], distance_degree: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the light a vessel takes that far from its middle: veins take more."""
    beyond = np.clip(distance_degree - CIRCLE_RADIUS_DEGREE, -5, None)
    width_um = vessel.width_um * np.clip(1 - 0.035 * beyond, 0.35, 1.15)
    relative = aside_um / (0.42 * width_um)
    begins = np.clip((distance_degree - 0.4) / 0.5, 0, 1)
    depth = (0.55 if vessel.vein else 0.42) * (0.35 + 0.65 * min(1.0, vessel.width_um / 110))
    reflex = (0.12 if vessel.vein else 0.24) * np.exp(-((relative / 0.35) ** 2))
    dark = depth * np.exp(-(relative**2))
    return np.asarray(begins * dark * (1 - reflex / max(depth, 0.1)))


def _path_degree(
    vessel: Vessel, radii_degree: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the TSNIT angle of a vessel at each distance: arcades bend round the fovea."""
    beyond = radii_degree - CIRCLE_RADIUS_DEGREE
    from_temporal = (vessel.angle_degree + 180) % 360 - 180
    arcade = 2.6 if 45 < abs(from_temporal) < 115 and rng.uniform() < 0.6 else 0.5
    limit = 0.5 * abs(from_temporal) + 1
    towards_fovea = limit * np.tanh(-np.sign(from_temporal) * arcade * beyond / limit)
    phase, pitch = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.2)
    winding = np.sin(pitch * beyond + phase) - np.sin(phase)
    return np.asarray(vessel.angle_degree + towards_fovea + 14.0 / (4.0 + radii_degree) * winding)

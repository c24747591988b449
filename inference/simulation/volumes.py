"""Synthetic volumes of parallel B-scans around the optic disc, with the truth about them.

Brightness and layers are those of the circle scans of this folder, choices that look right and no
measurements of people; so is the optic nerve head. The truth is stated for the 3.46 mm circle.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.scan import GridGeometry
from inference.preparation.grid_sampling import points_mm
from inference.simulation.disc_shape import DiscShape, draw_disc
from inference.simulation.fibre_field import circle_truth_um
from inference.simulation.nerve_head import draw_nerve_head
from inference.simulation.rendering import Light
from inference.simulation.vessels import Vessel, draw_vessels
from inference.simulation.volume_grid import Grid
from inference.simulation.volume_rendering import render_volume

#: Where Bruch's membrane lies in the depth of the scan, tilt in µm per mm and curvature per mm².
_BRUCH_DEPTH: Final = 0.52
_TILT_SD_UM: Final = 25.0
_CURVATURE_UM: Final = (2.0, 7.0)


@dataclass(frozen=True)
class Motion:
    """How the eye moved while the B-scans were taken.

    Attributes
    ----------
    axial_um
        SD of the leap in depth from one B-scan to the next; the eye drifts back to its place.
    saccade_mm
        Where the eye looks after a saccade, (temporal, superior) from where it looked before.
    saccade_at
        When, in parts of the volume.
    """

    axial_um: float = 5.0
    saccade_mm: tuple[float, float] = (0.0, 0.0)
    saccade_at: float = 0.5


@dataclass(frozen=True)
class VolumeOptions:
    """What may be chosen of a synthetic volume; None leaves it to chance.

    Attributes
    ----------
    tilt_um
        Rise of Bruch's membrane in µm per mm towards (temporal, superior).
    depth
        Where Bruch's membrane lies at the disc, in parts of the depth scanned.
    """

    grid: Grid = field(default_factory=Grid)
    light: Light = field(default_factory=lambda: Light(averaged_frames=1))
    disc: DiscShape | None = None
    motion: Motion = field(default_factory=Motion)
    vessels: tuple[Vessel, ...] | None = None
    tilt_um: tuple[float, float] | None = None
    depth: float = _BRUCH_DEPTH


@dataclass(frozen=True)
class SimulatedVolume:
    """A volume and the truth about it.

    Attributes
    ----------
    pixels
        uint8, shape (B-scans, rows, columns), vitreous at the top.
    geometry
        Where its A-scans lie.
    disc
        The disc, before any saccade.
    thickness_um
        float32, shape (768,), TSNIT: the true layer on the 3.46 mm circle around the disc's centre,
        vessels' bumps included.
    """

    pixels: NDArray[np.uint8]
    geometry: GridGeometry
    disc: DiscShape
    thickness_um: NDArray[np.float32]


def simulate_volume(
    thickness_um: NDArray[np.floating],
    laterality: Laterality,
    rng: np.random.Generator,
    options: VolumeOptions | None = None,
) -> SimulatedVolume:
    """Return a volume around the disc of an eye with that nerve fibre layer.

    Parameters
    ----------
    thickness_um
        Shape (768,), µm: the layer without vessels on the 3.46 mm circle.
    laterality
        The eye; it decides which way the B-scans run in the frame both eyes share.
    rng
        The only source of chance: the same state gives the same volume.
    """
    options = options or VolumeOptions()
    geometry = options.grid.geometry(laterality)
    disc = options.disc or draw_disc(rng)
    vessels = options.vessels if options.vessels is not None else draw_vessels(rng)
    seen_mm = _moved(points_mm(geometry, options.grid.field), options.motion)
    head = draw_nerve_head(thickness_um, disc, vessels, seen_mm, rng)
    bruch_um = _bruch_um(seen_mm, disc, options, rng)
    return SimulatedVolume(
        pixels=render_volume(head, bruch_um, options.grid, options.light, rng),
        geometry=geometry,
        disc=disc,
        thickness_um=circle_truth_um(thickness_um, vessels),
    )


def _moved(field_mm: NDArray[np.float64], motion: Motion) -> NDArray[np.float64]:
    moved = field_mm.copy()
    moved[round(motion.saccade_at * len(field_mm)) :] += motion.saccade_mm
    return moved


def _bruch_um(
    seen_mm: NDArray[np.float64],
    disc: DiscShape,
    options: VolumeOptions,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the depth of Bruch's membrane at each A-scan in µm below the first row."""
    tilt = rng.normal(0, _TILT_SD_UM, 2) if options.tilt_um is None else np.array(options.tilt_um)
    curvature = rng.uniform(*_CURVATURE_UM)
    from_disc = seen_mm - np.asarray(disc.centre_mm)
    middle = options.depth * options.grid.rows * options.grid.axial_um
    bruch = middle - from_disc @ tilt + curvature * (from_disc**2).sum(axis=-1)
    leaps = rng.normal(0, options.motion.axial_um, options.grid.b_scans)
    drift = np.zeros_like(leaps)
    for index in range(1, len(leaps)):
        drift[index] = 0.9 * drift[index - 1] + leaps[index]
    return np.asarray(bruch + drift[:, np.newaxis])

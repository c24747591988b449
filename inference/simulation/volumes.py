"""Synthetic volumes of parallel B-scans around the optic disc, with the truth about them.

Brightness and layers are those of the circle scans of this folder, choices that look right and no
measurements of people; so is the optic nerve head. The truth is stated for the 3.46 mm circle.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE
from core.values.scan import GridGeometry
from inference.preparation.grid_sampling import points_mm
from inference.simulation.disc_shape import DiscShape, DiscView, draw_disc
from inference.simulation.fibre_field import CIRCLE_RADIUS_MM, fibres_um
from inference.simulation.nerve_head import NerveHead, draw_nerve_head
from inference.simulation.rendering import Frame, Light, render
from inference.simulation.retina import Retina
from inference.simulation.vessels import Vessel, draw_vessels

#: Speckle grains have their size in rows of about this height, whatever the rows of the device.
_RENDERED_ROW_UM: Final = 3.9
#: Where Bruch's membrane lies in the depth of the scan, tilt in µm per mm and curvature per mm².
_BRUCH_DEPTH: Final = 0.52
_TILT_SD_UM: Final = 25.0
_CURVATURE_UM: Final = (2.0, 7.0)


@dataclass(frozen=True)
class Grid:
    """How a device scans the field: number of A-scans and rows, distances, directions.

    Attributes
    ----------
    b_scans, rows, columns
        Shape of the volume.
    width_mm, height_mm
        Field along a B-scan and across the B-scans.
    axial_um
        Height of a row.
    upward
        Whether the first B-scan is the lowest of the field.
    """

    b_scans: int = 200
    rows: int = 1024
    columns: int = 200
    width_mm: float = 6.0
    height_mm: float = 6.0
    axial_um: float = 1.953
    upward: bool = False

    @property
    def field(self) -> tuple[int, int]:
        """Number of B-scans and of A-scans in each."""
        return self.b_scans, self.columns

    def geometry(self, laterality: Laterality) -> GridGeometry:
        """Return where its A-scans lie, from image left to image right; origin in the middle.

        Image left is the patient's right: temporal in a right eye, nasal in a left eye.
        """
        across = -1.0 if laterality is Laterality.RIGHT else 1.0
        along = 1.0 if self.upward else -1.0
        column_mm = self.width_mm / self.columns
        row_mm = self.height_mm / self.b_scans
        return GridGeometry(
            origin_mm=(
                -across * column_mm * (self.columns - 1) / 2,
                -along * row_mm * (self.b_scans - 1) / 2,
            ),
            column_step_mm=(across * column_mm, 0.0),
            row_step_mm=(0.0, along * row_mm),
        )


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
        pixels=_rendered(head, bruch_um, options, rng),
        geometry=geometry,
        disc=disc,
        thickness_um=circle_truth_um(thickness_um, vessels),
    )


def circle_truth_um(
    thickness_um: NDArray[np.floating], vessels: tuple[Vessel, ...]
) -> NDArray[np.float32]:
    """Return the layer with the bumps of the vessels on the 3.46 mm circle, shape (768,), µm."""
    circle = DiscView(np.full(PROFILE_ANGLES_DEGREE.shape, CIRCLE_RADIUS_MM), PROFILE_ANGLES_DEGREE)
    return np.asarray(fibres_um(thickness_um, vessels, circle), np.float32)


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


def _rendered(
    head: NerveHead,
    bruch_um: NDArray[np.float64],
    options: VolumeOptions,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    grid = options.grid
    depth_um = grid.rows * grid.axial_um
    frame = Frame(max(1, round(depth_um / _RENDERED_ROW_UM)), _RENDERED_ROW_UM)
    volume = np.empty((grid.b_scans, grid.rows, grid.columns), np.uint8)
    for index in range(grid.b_scans):
        # Row r of a picture has its centre (r + 0.5) rows below the upper edge.
        tops_row = (bruch_um[index] - head.tops_um[:, index]) / frame.axial_um - 0.5
        retina = Retina(tops_row, head.reflectivity[:, index])
        picture = render(retina, head.passed[index], frame, options.light, rng)
        volume[index] = _with_rows(picture, grid, frame)
    return volume


def _with_rows(picture: NDArray[np.uint8], grid: Grid, frame: Frame) -> NDArray[np.uint8]:
    """Return the picture with the rows of the device, linear between those it was rendered in."""
    wanted = (np.arange(grid.rows) + 0.5) * grid.axial_um / frame.axial_um - 0.5
    wanted = np.clip(wanted, 0, frame.rows - 1)
    upper = np.minimum(wanted.astype(np.intp), frame.rows - 2)
    share = (wanted - upper)[:, np.newaxis].astype(np.float32)
    between = picture[upper] * (1 - share) + picture[upper + 1] * share
    return np.asarray(np.rint(between), np.uint8)

"""Synthetic circle B-scans around the optic disc, with the true borders of their layers.

They look like an OCT scan, and no more than that. Without options they are clean; motion, atrophy,
decentration, a folded retina and other displays are in them where options ask for it. What works
on them is not thereby shown to work on people.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE, PROFILE_SAMPLES, Layers
from inference.simulation.circle_course import CircleCourse, spectralis_course
from inference.simulation.displays import Display, GreyValues
from inference.simulation.disturbances import (
    atrophy_share,
    decentred,
    motion_rows,
    paled,
    thinned,
)
from inference.simulation.rendering import Frame, Light, intensity
from inference.simulation.retina import Retina, draw_layers_um, stack
from inference.simulation.vessels import Vessel, bumps_um, draw_vessels, transmission

#: Height of a row in µm and size of the picture, as the Spectralis writes them.
FRAME: Final = Frame(rows=496, axial_um=3.872)
COLUMNS: Final = 768

#: Retina along the circle for each degree of it in µm: a circle of 3.5 mm across.
UM_PER_DEGREE: Final = 3500 * np.pi / 360

#: Mean row of the inner limiting membrane and how far it may stray before leaving the picture.
ILM_ROW: Final = 170.0
ILM_SPREAD_ROWS: Final = 18.0
TILT_SPREAD_ROWS: Final = 14.0
UNDULATION_SPREAD_ROWS: Final = 5.0


@dataclass(frozen=True)
class BScanOptions:
    """What may be chosen of a synthetic B-scan; None leaves it to chance.

    Attributes
    ----------
    course
        Where the scan starts and which way it runs; None: temporal first, then superior.
    light
        Signal, noise and averaging.
    tilt_rows, undulation_rows
        Height of the first and second harmonic of Bruch's membrane along the scan, in rows.
    vessels
        The vessels to show, so that a localizer picture can show the same ones.
    motion_rows
        SD of the steps by which the eye moved while it was scanned.
    atrophy_degree
        Width of the temporal stretch where the outer retina is wasted.
    decentration_mm
        (temporal, superior) distance of the circle's centre from the disc's.
    folded_rows
        How far the retina reaches above the top of the picture, where OCT shows it mirrored.
    display
        How light becomes grey values.
    """

    course: CircleCourse | None = None
    light: Light = field(default_factory=Light)
    tilt_rows: float | None = None
    undulation_rows: float | None = None
    vessels: tuple[Vessel, ...] | None = None
    motion_rows: float = 0.0
    atrophy_degree: float = 0.0
    decentration_mm: tuple[float, float] = (0.0, 0.0)
    folded_rows: float = 0.0
    display: Display = field(default_factory=Display)


@dataclass(frozen=True)
class SimulatedBScan:
    """A B-scan and the truth about it.

    Attributes
    ----------
    pixels
        uint8 or uint16, shape (496, 768), vitreous at the top, columns in scan order.
    layers
        The true borders, above row 0 where the retina is folded. Their distance is the given
        thickness, as the circle meets it, plus the bump of each vessel.
    angles_degree
        TSNIT angle of each column, shape (768,), around the centre of the circle.
    """

    pixels: GreyValues
    layers: Layers
    angles_degree: NDArray[np.float64]

    @property
    def shown(self) -> NDArray[np.float32]:
        """The grey values from 0 to 1, as a reader of the scan hands them on."""
        return self.pixels.astype(np.float32) / np.float32(np.iinfo(self.pixels.dtype).max)


def simulate_b_scan(
    thickness_um: NDArray[np.floating],
    laterality: Laterality,
    rng: np.random.Generator,
    options: BScanOptions | None = None,
) -> SimulatedBScan:
    """Return a circle B-scan of an eye with that nerve fibre layer.

    Parameters
    ----------
    thickness_um
        Shape (768,), µm, in the TSNIT frame both eyes share.
    laterality
        The eye; it decides which way the device's course runs in that frame.
    rng
        The only source of chance: the same state gives the same scan.
    options
        What is fixed instead of drawn.
    """
    options = options or BScanOptions()
    course = options.course or spectralis_course(laterality)
    angles = course.tsnit_angles_degree(COLUMNS, laterality)
    vessels = options.vessels if options.vessels is not None else draw_vessels(rng)
    disc_angles, distance = decentred(angles, options.decentration_mm)
    bumps = bumps_um(vessels, disc_angles, UM_PER_DEGREE)
    # The same fibres spread over a longer way round further out.
    fibres_um = _at_angles(thickness_um, disc_angles) / distance + bumps
    retina = _retina(fibres_um, disc_angles, options, rng)
    passed = transmission(vessels, disc_angles, UM_PER_DEGREE)
    light = _folded_intensity(retina, passed, options.light, rng)
    return SimulatedBScan(
        pixels=options.display.grey_values(light),
        layers=Layers(retina.ilm_row.astype(np.float32), retina.rnfl_row.astype(np.float32)),
        angles_degree=angles,
    )


def _retina(
    fibres_um: NDArray[np.float64],
    angles_degree: NDArray[np.float64],
    options: BScanOptions,
    rng: np.random.Generator,
) -> Retina:
    """Return the layers as the scan meets them."""
    layers_um = draw_layers_um(rng, COLUMNS)
    total_um = float(np.mean(fibres_um + sum(layers_um.values())))
    bruch_row = _bruch_row(angles_degree, total_um, options, rng)
    wasted = np.zeros(COLUMNS)
    if options.atrophy_degree:
        wasted = atrophy_share(rng, angles_degree, options.atrophy_degree)
        layers_um = thinned(layers_um, wasted)
    if options.motion_rows:
        bruch_row = bruch_row + motion_rows(rng, COLUMNS, options.motion_rows)
    if options.folded_rows:
        height_rows = (fibres_um + sum(layers_um.values())) / FRAME.axial_um
        bruch_row = bruch_row - (bruch_row - height_rows).min() - options.folded_rows
    return paled(stack(fibres_um, layers_um, bruch_row, FRAME.axial_um, rng), wasted)


def _folded_intensity(
    retina: Retina, passed: NDArray[np.float64], light: Light, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the light of each pixel; what lies above the picture is mirrored at its top."""
    above = max(0, int(np.ceil(-retina.tops_row.min())))
    if not above:
        return intensity(retina, passed, FRAME, light, rng)
    lowered = replace(retina, tops_row=retina.tops_row + above)
    taller = replace(FRAME, rows=FRAME.rows + above)
    whole = intensity(lowered, passed, taller, light, rng)
    seen = whole[above:].copy()
    seen[:above] += whole[:above][::-1]
    return seen


def _at_angles(
    thickness_um: NDArray[np.floating], angles_degree: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the profile at each angle, going on from 360° at 0°."""
    if thickness_um.shape != (PROFILE_SAMPLES,):
        raise ValueError(
            f"a profile has {PROFILE_SAMPLES} samples, this one has shape {thickness_um.shape}; "
            "resample it round the circle first"
        )
    return np.asarray(np.interp(angles_degree, PROFILE_ANGLES_DEGREE, thickness_um, period=360))


def _bruch_row(
    angles_degree: NDArray[np.float64],
    total_um: float,
    options: BScanOptions,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return a smooth closed curve that keeps the retina inside the picture."""
    tilt, undulation = rng.normal(0, (TILT_SPREAD_ROWS, UNDULATION_SPREAD_ROWS))
    tilt = options.tilt_rows if options.tilt_rows is not None else tilt
    undulation = options.undulation_rows if options.undulation_rows is not None else undulation
    phases = rng.uniform(0, 2 * np.pi, 2)
    ilm_row = rng.normal(ILM_ROW, ILM_SPREAD_ROWS)
    middle = np.clip(ilm_row, 120, 220) + total_um / FRAME.axial_um
    radians = np.deg2rad(angles_degree)
    return np.asarray(
        middle + tilt * np.cos(radians + phases[0]) + undulation * np.cos(2 * radians + phases[1])
    )

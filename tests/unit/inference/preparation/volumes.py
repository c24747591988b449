"""Volumes and thickness maps for these tests: small ones, simulated."""

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.scan import Device, GridGeometry, Scan, ScanKind
from inference.simulation.disc_shape import DiscShape
from inference.simulation.thickness_maps import SimulatedMap
from inference.simulation.volume_grid import Grid
from inference.simulation.volumes import SimulatedVolume, VolumeOptions, simulate_volume

SMALL = Grid(b_scans=128, rows=512, columns=128, axial_um=3.906)
DISC = DiscShape(centre_mm=(0.35, -0.2))


def small_volume(
    laterality: Laterality = Laterality.RIGHT,
    options: VolumeOptions | None = None,
    thickness_um: NDArray[np.float64] | None = None,
) -> SimulatedVolume:
    thickness_um = normal_profile_um(60.0) if thickness_um is None else thickness_um
    options = options or VolumeOptions(grid=SMALL, disc=DISC)
    return simulate_volume(thickness_um, laterality, np.random.default_rng(5), options)


def volume_scan(
    pixels: NDArray[np.generic],
    geometry: GridGeometry,
    laterality: Laterality = Laterality.RIGHT,
    axial_um: float = SMALL.axial_um,
) -> Scan:
    return Scan(
        kind=ScanKind.VOLUME,
        pixels=np.asarray(pixels, np.float32) / np.float32(255),
        axial_um=axial_um,
        lateral_um=1000 * float(np.hypot(*geometry.column_step_mm)),
        geometry=geometry,
        laterality=laterality,
        acquired_at=None,
        age_years=None,
        device=Device(),
    )


def map_scan(simulated: SimulatedMap, pixels: NDArray[np.float32] | None = None) -> Scan:
    return Scan(
        kind=ScanKind.THICKNESS_MAP,
        pixels=simulated.thickness_map_um if pixels is None else pixels,
        axial_um=float("nan"),
        lateral_um=float("nan"),
        geometry=simulated.geometry,
        laterality=Laterality.RIGHT,
        acquired_at=None,
        age_years=None,
        device=Device(),
    )

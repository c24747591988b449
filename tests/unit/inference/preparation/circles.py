"""Circle scans for these tests: simulated, or any picture passed off as one."""

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import normal_profile_um
from core.values.laterality import Laterality
from core.values.profile import PROFILE_ANGLES_DEGREE
from core.values.scan import CircleGeometry, Device, Scan, ScanKind
from inference.simulation.b_scans import BScanOptions, SimulatedBScan, simulate_b_scan
from inference.simulation.rendering import Light

AXIAL_UM = 3.872
Pixels = NDArray[np.float32]


def profile_with_loss(centre_degree: float | None, share: float = 0.6) -> NDArray[np.float64]:
    """A profile of a normal eye, or one that lost fibres around an angle."""
    profile = np.asarray(normal_profile_um(60.0), np.float64)
    if centre_degree is None:
        return profile
    return profile * (
        1 - share * np.exp(-0.5 * ((PROFILE_ANGLES_DEGREE - centre_degree) / 25) ** 2)
    )


def simulated(
    thickness_um: NDArray[np.float64] | None = None, light: Light | None = None, seed: int = 1
) -> SimulatedBScan:
    thickness_um = profile_with_loss(None) if thickness_um is None else thickness_um
    options = BScanOptions(light=light or Light())
    return simulate_b_scan(thickness_um, Laterality.RIGHT, np.random.default_rng(seed), options)


def scan_with(pixels: NDArray[np.generic], axial_um: float = AXIAL_UM) -> Scan:
    columns = pixels.shape[1]
    return Scan(
        kind=ScanKind.CIRCLE,
        pixels=np.ascontiguousarray(pixels, np.float32),
        axial_um=axial_um,
        lateral_um=11310 / columns,
        geometry=CircleGeometry(np.arange(columns) * 360.0 / columns, 3.6),
        laterality=Laterality.RIGHT,
        acquired_at=None,
        age_years=None,
        device=Device(),
    )

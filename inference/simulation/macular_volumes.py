"""Synthetic volumes over the macula: good scans in which there is no disc to measure around."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from inference.preparation.grid_sampling import points_mm
from inference.simulation.macular_scans import with_foveal_pit
from inference.simulation.rendering import Light
from inference.simulation.retina import LAYERS, OUTER_LAYERS
from inference.simulation.volume_grid import Grid
from inference.simulation.volume_rendering import LayeredField, render_volume

#: Depth of Bruch's membrane below the fovea, in parts of the depth scanned; its rise in µm/mm².
_BRUCH_DEPTH: Final = 0.55
_CURVATURE_UM: Final = 4.0
_PIGMENTED: Final = ("ellipsoid zone", "interdigitation zone", "pigment epithelium")


def simulate_macular_volume(
    laterality: Laterality,
    rng: np.random.Generator,
    grid: Grid,
    light: Light,
    atrophy_mm: float = 0.0,
) -> NDArray[np.uint8]:
    """Return a volume, shape (B-scans, rows, columns), with the fovea in its middle.

    Parameters
    ----------
    atrophy_mm
        Radius of a round area around the fovea without photoreceptors and pigment epithelium.
    """
    temporal, superior = np.moveaxis(points_mm(grid.geometry(laterality), grid.field), -1, 0)
    distance_mm = np.hypot(temporal, superior)
    drawn = {name: np.full(grid.field, float(LAYERS[name].thickness_um)) for name in OUTER_LAYERS}
    layers_um = with_foveal_pit(drawn, distance_mm)
    nasal_mm = np.clip(-temporal, 0, None)
    fibres_um = 4 + (10 + 42 * (nasal_mm / 4) ** 1.3) * (1 - np.exp(-((distance_mm / 1.2) ** 2)))
    stacked = np.array([fibres_um, *(layers_um[name] for name in OUTER_LAYERS)])
    heights = np.cumsum(stacked[::-1], axis=0)[::-1]
    base = np.zeros(grid.field)
    choroid = base - LAYERS["choriocapillaris"].thickness_um
    retina = LayeredField(
        tops_um=np.array([*heights, base, choroid]),
        reflectivity=_reflectivity(distance_mm < atrophy_mm),
        passed=np.ones(grid.field),
    )
    bruch_um = _BRUCH_DEPTH * grid.rows * grid.axial_um - _CURVATURE_UM * distance_mm**2
    return render_volume(retina, bruch_um, grid, light, rng)


def _reflectivity(bare: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the brightness of each layer, where bare that of the choroid in pigmented ones."""
    choroid = LAYERS["choroid and sclera"].reflectivity
    return np.array(
        [
            np.where(bare & (name in _PIGMENTED), choroid, tissue.reflectivity)
            for name, tissue in LAYERS.items()
        ]
    )

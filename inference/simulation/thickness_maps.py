"""Synthetic thickness maps of the nerve fibre layer around the disc, with the truth about them."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.scan import GridGeometry
from inference.preparation.grid_sampling import points_mm
from inference.simulation.disc_shape import DiscShape, DiscView, draw_disc
from inference.simulation.fibre_field import circle_truth_um, fibres_um
from inference.simulation.smooth_noise import smooth_noise
from inference.simulation.vessels import Vessel, draw_vessels
from inference.simulation.volume_grid import Grid

#: A device's error from place to place: SD in µm and how far it reaches in pixels.
_ERROR_UM: Final = 3.0
_ERROR_PX: Final = 2.0


@dataclass(frozen=True)
class MapOptions:
    """What may be chosen of a synthetic map; None leaves it to chance.

    Attributes
    ----------
    no_value_um
        What the device writes inside the disc: NaN or zero.
    """

    grid: Grid = field(default_factory=Grid)
    disc: DiscShape | None = None
    vessels: tuple[Vessel, ...] | None = None
    no_value_um: float = np.nan


@dataclass(frozen=True)
class SimulatedMap:
    """A thickness map and the truth about it.

    Attributes
    ----------
    thickness_map_um
        float32, shape (rows, columns) of the grid, micrometre, without value inside the disc.
    geometry
        Where its places lie.
    disc
        The disc.
    thickness_um
        float32, shape (768,), TSNIT: the true layer on the 3.46 mm circle.
    """

    thickness_map_um: NDArray[np.float32]
    geometry: GridGeometry
    disc: DiscShape
    thickness_um: NDArray[np.float32]


def simulate_thickness_map(
    thickness_um: NDArray[np.floating],
    laterality: Laterality,
    rng: np.random.Generator,
    options: MapOptions | None = None,
) -> SimulatedMap:
    """Return the map of an eye whose layer without vessels on the circle is given, (768,) in µm."""
    options = options or MapOptions()
    geometry = options.grid.geometry(laterality)
    disc = options.disc or draw_disc(rng)
    vessels = options.vessels if options.vessels is not None else draw_vessels(rng)
    view = DiscView.of(points_mm(geometry, options.grid.field), disc)
    measured = fibres_um(thickness_um, vessels, view)
    measured += _ERROR_UM * smooth_noise(rng, measured.shape, (_ERROR_PX, _ERROR_PX))
    measured[view.radius_mm < disc.margin_mm(view.angle_degree)] = options.no_value_um
    return SimulatedMap(
        thickness_map_um=measured.astype(np.float32),
        geometry=geometry,
        disc=disc,
        thickness_um=circle_truth_um(thickness_um, vessels),
    )

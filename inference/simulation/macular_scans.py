"""A synthetic straight B-scan through the fovea: a good scan that no disc model may take."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from inference.simulation.b_scans import COLUMNS, FRAME
from inference.simulation.rendering import Light, render
from inference.simulation.retina import draw_layers_um, stack

#: Length of the scan: the 30° of the localizer.
LENGTH_MM: Final = 9.0

#: Row of Bruch's membrane below the fovea, and how far it rises towards the edges.
BRUCH_ROW: Final = 300.0
BRUCH_RISE_ROWS: Final = 22.0


def simulate_macular_line(
    laterality: Laterality, rng: np.random.Generator, light: Light | None = None
) -> NDArray[np.uint8]:
    """Return a B-scan, shape (496, 768), from image left to image right through the fovea."""
    nasal_mm = np.linspace(-LENGTH_MM / 2, LENGTH_MM / 2, COLUMNS)
    if laterality is Laterality.LEFT:
        nasal_mm = -nasal_mm
    bruch_row = BRUCH_ROW - BRUCH_RISE_ROWS * (nasal_mm / LENGTH_MM * 2) ** 2
    layers_um = with_foveal_pit(draw_layers_um(rng, COLUMNS), nasal_mm)
    retina = stack(_nerve_fibres_um(nasal_mm), layers_um, bruch_row, FRAME.axial_um, rng)
    passed = np.ones(COLUMNS)
    return render(retina, passed, FRAME, light or Light(), rng)


def _nerve_fibres_um(nasal_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a layer that is absent at the fovea and thickens towards the disc."""
    towards_disc = 42 * np.clip(nasal_mm / 4, 0, None) ** 1.3
    return np.asarray(4 + (10 + towards_disc) * _outside_pit(nasal_mm, 1.2))


def with_foveal_pit(
    layers_um: dict[str, NDArray[np.float64]], nasal_mm: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the layers in µm thinned or thickened as they are that far from the fovea's centre."""
    pit = dict(layers_um)
    rim = 1 + 0.75 * np.exp(-(((np.abs(nasal_mm) - 1.1) / 0.7) ** 2))
    fade = 0.45 + 0.55 * np.exp(-((nasal_mm / 3.0) ** 2))
    pit["ganglion cell and inner plexiform layer"] *= rim * fade * _outside_pit(nasal_mm, 0.75)
    pit["inner nuclear layer"] *= _outside_pit(nasal_mm, 0.45)
    pit["outer plexiform layer"] *= 0.25 + 0.75 * _outside_pit(nasal_mm, 0.35)
    pit["outer nuclear layer"] += 38 * np.exp(-((nasal_mm / 0.5) ** 2))
    return {name: np.clip(thickness, 2.0, None) for name, thickness in pit.items()}


def _outside_pit(nasal_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.float64]:
    """Return 0 at the fovea, rising to 1 outside that radius."""
    return np.asarray(1 - np.exp(-((nasal_mm / radius_mm) ** 2)))

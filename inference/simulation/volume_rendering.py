"""From layers over a field of the retina to the B-scans a volume shows of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.simulation.rendering import Frame, Light, render
from inference.simulation.retina import Retina
from inference.simulation.volume_grid import Grid

#: Speckle grains have their size in rows of about this height, whatever the rows of the device.
_RENDERED_ROW_UM: Final = 3.9


@dataclass(frozen=True)
class LayeredField:
    """Layers over a field, each array's last two axes those of the field.

    Attributes
    ----------
    tops_um
        Height of each layer's inner border above Bruch's membrane in µm, negative below it.
    reflectivity
        Of each layer, relative to full scale.
    passed
        Share of light the vessels let pass, 0 to 1.
    """

    tops_um: NDArray[np.float64]
    reflectivity: NDArray[np.float64]
    passed: NDArray[np.float64]


def render_volume(
    retina: LayeredField,
    bruch_um: NDArray[np.float64],
    grid: Grid,
    light: Light,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the grey values, shape (B-scans, rows, columns), of a retina.

    Parameters
    ----------
    bruch_um
        Depth of Bruch's membrane at each A-scan below the upper edge in µm, (B-scans, columns).
    """
    depth_um = grid.rows * grid.axial_um
    frame = Frame(max(1, round(depth_um / _RENDERED_ROW_UM)), _RENDERED_ROW_UM)
    volume = np.empty((grid.b_scans, grid.rows, grid.columns), np.uint8)
    for index in range(grid.b_scans):
        # Row r of a picture has its centre (r + 0.5) rows below the upper edge.
        tops_row = (bruch_um[index] - retina.tops_um[:, index]) / frame.axial_um - 0.5
        layers = Retina(tops_row, retina.reflectivity[:, index])
        picture = render(layers, retina.passed[index], frame, light, rng)
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

"""The layers of a retina in cross-section: where each begins, how bright it is.

Thickness and reflectivity are choices that look right beside a public Spectralis scan, not
measurements of people. No motion, blink or atrophy is simulated.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.simulation.smooth_noise import smooth_noise

#: Correlation length of local changes of a layer's thickness along the scan, in columns.
THICKNESS_LENGTH_COLUMNS: Final = 40.0

#: Where the nerve fibre layer stands in the stack.
NERVE_FIBRE_LAYER: Final = 0

#: Intensity above the retina, relative to full scale.
VITREOUS: Final = 2.2e-4


@dataclass(frozen=True)
class Tissue:
    """One layer: thickness with its SD between eyes in µm, reflectivity, decay of light per mm."""

    thickness_um: float
    spread_um: float
    reflectivity: float
    decay_per_mm: float = 0.0


#: From the inner to the outer border; the thickness of the first varies round the disc, the last
#: reaches to the lower edge of the picture.
LAYERS: Final = {
    "nerve fibre layer": Tissue(0.0, 0.0, 0.27, 1.2),
    "ganglion cell and inner plexiform layer": Tissue(48, 6, 0.048),
    "inner nuclear layer": Tissue(34, 3, 0.0125),
    "outer plexiform layer": Tissue(28, 3, 0.030),
    "outer nuclear layer": Tissue(58, 6, 0.0065),
    "external limiting membrane": Tissue(4, 0, 0.012),
    "inner segments": Tissue(16, 1, 0.0045),
    "ellipsoid zone": Tissue(18, 1, 0.27),
    "interdigitation zone": Tissue(14, 1, 0.09),
    "pigment epithelium": Tissue(22, 2, 0.40),
    "choriocapillaris": Tissue(20, 2, 0.055),
    "choroid and sclera": Tissue(0.0, 0.0, 0.019, 11.0),
}

#: How deep the choroid's own vessels reach below Bruch's membrane, in µm.
CHOROID_UM: Final = 150.0

#: Layers between the nerve fibre layer and Bruch's membrane.
OUTER_LAYERS: Final = tuple(LAYERS)[1:10]


@dataclass(frozen=True)
class Retina:
    """A stack of layers below the vitreous.

    Attributes
    ----------
    tops_row
        Shape (layers, columns): image row (sub-pixel) of the inner border of each layer; the lower
        border of a layer is the inner border of the next one.
    reflectivity
        Shape (layers, columns), relative to full scale.
    """

    tops_row: NDArray[np.float64]
    reflectivity: NDArray[np.float64]

    @property
    def ilm_row(self) -> NDArray[np.float64]:
        """Row of the inner limiting membrane."""
        return np.asarray(self.tops_row[NERVE_FIBRE_LAYER])

    @property
    def rnfl_row(self) -> NDArray[np.float64]:
        """Row of the lower border of the nerve fibre layer."""
        return np.asarray(self.tops_row[NERVE_FIBRE_LAYER + 1])


def draw_layers_um(rng: np.random.Generator, columns: int) -> dict[str, NDArray[np.float64]]:
    """Return the thickness in µm of each layer from ganglion cells to Bruch's membrane."""
    thickness = {}
    for name in OUTER_LAYERS:
        tissue = LAYERS[name]
        mean_um = rng.normal(tissue.thickness_um, tissue.spread_um)
        local = smooth_noise(rng, (columns,), THICKNESS_LENGTH_COLUMNS)
        thickness[name] = np.clip(mean_um * (1 + 0.04 * local), 2.0, None)
    return thickness


def stack(
    nerve_fibres_um: NDArray[np.float64],
    layers_um: dict[str, NDArray[np.float64]],
    bruch_row: NDArray[np.float64],
    axial_um: float,
    rng: np.random.Generator,
) -> Retina:
    """Return the retina that lies on Bruch's membrane, a smooth curve as in living eyes.

    Parameters
    ----------
    nerve_fibres_um, layers_um
        Thickness of the nerve fibre layer and of the layers below it, each shape (columns,).
    bruch_row
        Image row of Bruch's membrane, shape (columns,).
    axial_um
        Height of a row.
    rng
        Draws how brightness changes along the scan.
    """
    thickness_um = np.array([nerve_fibres_um, *(layers_um[name] for name in OUTER_LAYERS)])
    height_rows = np.cumsum(thickness_um[::-1], axis=0)[::-1] / axial_um
    choroid_row = bruch_row + LAYERS["choriocapillaris"].thickness_um / axial_um
    tops_row = np.array([*(bruch_row - height_rows), bruch_row, choroid_row])
    return Retina(tops_row, _reflectivity(nerve_fibres_um, rng))


def _reflectivity(
    nerve_fibres_um: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return brightness along the scan: thick bundles are brighter, and nothing is even."""
    columns = nerve_fibres_um.size
    values = np.array([tissue.reflectivity for tissue in LAYERS.values()])[:, None]
    values = values * np.exp(0.08 * smooth_noise(rng, (len(LAYERS), columns), (0.0, 30.0)))
    bundles = 0.55 + 0.45 * np.clip(nerve_fibres_um / 110, 0, 1.3)
    uneven = 1 + 0.25 * np.clip(smooth_noise(rng, (columns,), 35.0), -1.5, 1.5)
    striae = np.exp(0.15 * smooth_noise(rng, (columns,), 0.8))
    values[NERVE_FIBRE_LAYER] *= bundles * uneven * striae
    return np.asarray(values)

"""The layers of the retina over a field that holds the optic nerve head."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.simulation.disc_shape import DiscShape, DiscView
from inference.simulation.fibre_field import fibres_um, transmission
from inference.simulation.retina import LAYERS, NERVE_FIBRE_LAYER, OUTER_LAYERS
from inference.simulation.smooth_noise import smooth_noise
from inference.simulation.vessels import Vessel
from inference.simulation.volume_rendering import LayeredField

#: The layers below the nerve fibres end at the opening's margin, over this distance.
_TAPER_MM: Final = 0.12
#: Tissue of the rim and the cup's floor above the scleral plate, in µm.
_HEAD_TISSUE_UM: Final = 220.0
_HEAD_REFLECTIVITY: Final = 0.6
#: What a crescent of atrophy takes away.
_PIGMENTED: Final = ("ellipsoid zone", "interdigitation zone", "pigment epithelium")
_TEXTURE_MM: Final = 0.5


def draw_nerve_head(
    profile_um: NDArray[np.floating],
    disc: DiscShape,
    vessels: Sequence[Vessel],
    points_mm: NDArray[np.float64],
    rng: np.random.Generator,
) -> LayeredField:
    """Return the layers at points of shape (rows, columns, 2), (temporal, superior) in mm."""
    view = DiscView.of(points_mm, disc)
    margin_mm = disc.margin_mm(view.angle_degree)
    length_px = _texture_px(points_mm)
    fibres = fibres_um(profile_um, vessels, view)
    present = np.clip((view.radius_mm - margin_mm) / _TAPER_MM, 0, 1)
    drawn = [_layer_um(name, fibres.shape, length_px, rng) for name in OUTER_LAYERS]
    below = np.array(drawn) * present
    heights = np.cumsum(np.array([fibres, *below])[::-1], axis=0)[::-1]
    choroid = -LAYERS["choriocapillaris"].thickness_um * present
    tops_um = np.array([*heights, np.zeros_like(choroid), choroid])
    within = view.radius_mm / margin_mm
    inside = within < 1
    surface = _head_surface_um(within, fibres, disc)
    lower = (surface - _HEAD_TISSUE_UM)[np.newaxis]
    tops_um = np.where(inside, np.minimum(tops_um, lower), tops_um)
    tops_um[NERVE_FIBRE_LAYER] = np.where(inside, surface, tops_um[NERVE_FIBRE_LAYER])
    values = _reflectivity(fibres, length_px, rng)
    values[NERVE_FIBRE_LAYER] *= np.where(inside, _HEAD_REFLECTIVITY, 1.0)
    _take_pigment(values, view, margin_mm, disc.atrophy_mm)
    return LayeredField(tops_um, values, transmission(vessels, view))


def _head_surface_um(
    within: NDArray[np.float64], fibres: NDArray[np.float64], disc: DiscShape
) -> NDArray[np.float64]:
    """Return the surface inside the opening: down from the margin over the rim to the cup."""
    rim = np.clip((within - disc.cup_ratio) / (1 - disc.cup_ratio), 0, 1)
    smooth = rim * rim * (3 - 2 * rim)
    return np.asarray(-disc.cup_depth_um + (fibres + disc.cup_depth_um) * smooth)


def _texture_px(points_mm: NDArray[np.float64]) -> tuple[float, float]:
    """Return how many rows and columns of the field the tissue's texture extends over."""
    row_mm = float(np.linalg.norm(points_mm[-1, 0] - points_mm[0, 0])) / (len(points_mm) - 1)
    column_mm = float(np.linalg.norm(points_mm[0, 1] - points_mm[0, 0]))
    return _TEXTURE_MM / row_mm, _TEXTURE_MM / column_mm


def _layer_um(
    name: str, shape: tuple[int, ...], length_px: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    tissue = LAYERS[name]
    mean_um = rng.normal(tissue.thickness_um, tissue.spread_um)
    local = smooth_noise(rng, shape, length_px)
    return np.asarray(np.clip(mean_um * (1 + 0.04 * local), 2.0, None), np.float64)


def _reflectivity(
    fibres: NDArray[np.float64], length_px: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return brightness over the field: thick bundles are brighter, and nothing is even."""
    uneven = [np.exp(0.08 * smooth_noise(rng, fibres.shape, length_px)) for _ in LAYERS]
    base = np.array([tissue.reflectivity for tissue in LAYERS.values()])
    values = base[:, np.newaxis, np.newaxis] * np.array(uneven)
    bundles = 0.55 + 0.45 * np.clip(fibres / 110, 0, 1.3)
    cloudy = 1 + 0.25 * np.clip(smooth_noise(rng, fibres.shape, length_px), -1.5, 1.5)
    values[NERVE_FIBRE_LAYER] *= bundles * cloudy
    return np.asarray(values, np.float64)


def _take_pigment(
    values: NDArray[np.float64], view: DiscView, margin_mm: NDArray[np.float64], width_mm: float
) -> None:
    """Make the pigmented layers as dim as the choroid in a temporal crescent beside the disc."""
    temporal = np.clip(np.cos(np.deg2rad(view.angle_degree)), 0, None)
    bare = (width_mm > 0) & (view.radius_mm < margin_mm + width_mm * temporal)
    for index, name in enumerate(LAYERS):
        if name in _PIGMENTED:
            values[index][bare] = LAYERS["choroid and sclera"].reflectivity

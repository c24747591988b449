"""The nerve fibre layer over a field around the disc, grown from its profile on the circle."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_ANGLES_DEGREE
from inference.simulation.disc_shape import DiscView
from inference.simulation.vessels import Vessel

#: The circle the profile belongs to: 3.46 mm across.
CIRCLE_RADIUS_MM: Final = 1.73

#: The same fibres share a wider ring the farther they are from the disc: nearly as 1 / radius.
_THINNING: Final = 0.9
#: Nearer than this the layer grows no thicker; the opening begins about there.
_THICKEST_AT_MM: Final = 0.75
_MOST_UM: Final = 420.0
#: Bundles and vessels bend towards the temporal side as they leave the disc.
_BEND_DEGREE_PER_MM: Final = 12.0
#: Where vessels come up out of the cup.
_VESSELS_FROM_MM: Final = 0.2


def circle_angle_degree(view: DiscView) -> NDArray[np.float64]:
    """Return the TSNIT angle at which the bundle through each point crosses the circle."""
    bend = _BEND_DEGREE_PER_MM * (view.radius_mm - CIRCLE_RADIUS_MM)
    return np.asarray((view.angle_degree + bend * np.sin(np.deg2rad(view.angle_degree))) % 360)


def fibres_um(
    profile_um: NDArray[np.floating], vessels: Sequence[Vessel], view: DiscView
) -> NDArray[np.float64]:
    """Return the thickness of the layer at each point in µm, vessels' bumps included.

    Parameters
    ----------
    profile_um
        Shape (768,): the layer without vessels on the 3.46 mm circle, where it is given back.
    """
    angle = circle_angle_degree(view)
    thickness = np.interp(angle, PROFILE_ANGLES_DEGREE, profile_um, period=360)
    for vessel in vessels:
        thickness = thickness + vessel.bump_um * _across(vessel, view, angle)
    spread = CIRCLE_RADIUS_MM / np.maximum(view.radius_mm, _THICKEST_AT_MM)
    return np.asarray(np.minimum(thickness * spread**_THINNING, _MOST_UM))


def circle_truth_um(
    thickness_um: NDArray[np.floating], vessels: Sequence[Vessel]
) -> NDArray[np.float32]:
    """Return the layer with the bumps of the vessels on the 3.46 mm circle, shape (768,), µm."""
    circle = DiscView(np.full(PROFILE_ANGLES_DEGREE.shape, CIRCLE_RADIUS_MM), PROFILE_ANGLES_DEGREE)
    return np.asarray(fibres_um(thickness_um, vessels, circle), np.float32)


def transmission(vessels: Sequence[Vessel], view: DiscView) -> NDArray[np.float64]:
    """Return the share of light that passes the vessels at each point, 0 to 1."""
    angle = circle_angle_degree(view)
    passed = np.ones_like(angle)
    for vessel in vessels:
        passed *= 1 - vessel.shadow * _across(vessel, view, angle)
    return passed


def _across(vessel: Vessel, view: DiscView, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vessel's cross-section, 1 in its middle, with soft edges."""
    aside_degree = (angle - vessel.angle_degree + 180) % 360 - 180
    aside_um = np.deg2rad(aside_degree) * view.radius_mm * 1000
    begins = np.clip((view.radius_mm - _VESSELS_FROM_MM) / 0.2, 0, 1)
    return np.asarray(begins * np.exp(-(np.abs(aside_um / (0.5 * vessel.width_um)) ** 2.5)))

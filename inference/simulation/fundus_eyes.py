"""Simulated eyes as a camera sees them: disc, cup, vessels and nerve fibres of one eye."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.values.profile import DEGREES_PER_SAMPLE
from inference.simulation.fundus_vessels import FundusVessel, draw_fundus_vessels

#: Optic discs are 1.5 to 2 mm across: 5 to 6° of the visual angle, a little higher than wide.
_DISC_RADIUS_DEGREE: Final = (2.65, 0.22)
_DISC_RADIUS_LIMITS_DEGREE: Final = (2.1, 3.3)
_DISC_HEIGHT: Final = (1.07, 0.05)

#: The fovea lies 15.5° temporal of the disc's centre and 1.9° below it (Garway-Heath 2000).
_FOVEA_DEGREE: Final = ((15.5, 0.9), (-1.9, 1.0))

#: How much of the disc its rim fills at an angle: all fibres of that angle pass through it, and
#: discs of people differ (log). Chosen so that healthy cups fill half the disc's diameter.
_RIM_FROM_UM: Final = 25.0
_RIM_SCALE_UM: Final = 48.0
_RIM_LOG_SD: Final = 0.22
_RIM_SMOOTH_DEGREE: Final = 9.0
_RIM_LIMITS: Final = (0.04, 0.97)

#: Light 100 µm of nerve fibres add to the green light of the retina, less in old eyes.
_FIBRE_LIGHT: Final = 0.22
_FIBRE_LIGHT_LOG_SD: Final = 0.25
_FIBRE_LIGHT_PER_YEAR: Final = -0.006

_ATROPHY_SHARE: Final = 0.3


@dataclass(frozen=True)
class Atrophy:
    """A pale crescent beside the disc: TSNIT middle, half-width in degree; width in disc radii."""

    middle_degree: float
    half_width_degree: float
    width: float


@dataclass(frozen=True)
class FundusEye:
    """One eye, in the frame both eyes share.

    Attributes
    ----------
    thickness_um
        float32, shape (768,): nerve fibre layer on the 12° circle, TSNIT.
    disc_radius_degree, disc_height
        Mean radius, and height over width.
    cup_share
        float32, shape (768,), 0 to 1: radius of the cup over that of the disc, TSNIT.
    fovea_degree
        Temporal and superior of the disc's centre.
    fibre_light
        Share that 100 µm of nerve fibres add to the light.
    striation
        Share by which neighbouring bundles differ in light.
    mottling
        Share by which the retina below them varies from place to place.
    pigment
        Factor of the retina's light: below 1 in dark eyes.
    vessels
        Large ones, branches and small ones.
    atrophy
        None in most eyes.
    """

    thickness_um: NDArray[np.float32]
    disc_radius_degree: float
    disc_height: float
    cup_share: NDArray[np.float32]
    fovea_degree: tuple[float, float]
    fibre_light: float
    striation: float
    mottling: float
    pigment: float
    vessels: Sequence[FundusVessel]
    atrophy: Atrophy | None


def draw_fundus_eye(
    rng: np.random.Generator, thickness_um: NDArray[np.float32], age_years: float
) -> FundusEye:
    """Return an eye with that nerve fibre layer, float32, shape (768,), µm, and of that age."""
    radius = float(np.clip(rng.normal(*_DISC_RADIUS_DEGREE), *_DISC_RADIUS_LIMITS_DEGREE))
    ageing = np.exp(_FIBRE_LIGHT_PER_YEAR * (age_years - 50))
    return FundusEye(
        thickness_um=thickness_um,
        disc_radius_degree=radius,
        disc_height=float(rng.normal(*_DISC_HEIGHT)),
        cup_share=_cup_share(rng, thickness_um, radius),
        fovea_degree=(float(rng.normal(*_FOVEA_DEGREE[0])), float(rng.normal(*_FOVEA_DEGREE[1]))),
        fibre_light=float(_FIBRE_LIGHT * ageing * np.exp(rng.normal(0, _FIBRE_LIGHT_LOG_SD))),
        striation=float(rng.uniform(0.15, 0.4)),
        mottling=float(rng.uniform(0.02, 0.06)),
        pigment=float(rng.uniform(0.6, 1.15)),
        vessels=draw_fundus_vessels(rng),
        atrophy=_draw_atrophy(rng),
    )


def _cup_share(
    rng: np.random.Generator, thickness_um: NDArray[np.float32], disc_radius_degree: float
) -> NDArray[np.float32]:
    """Return how far the cup reaches at each angle: less rim where fibres are lost."""
    smooth_um = gaussian_filter1d(
        thickness_um.astype(np.float64), _RIM_SMOOTH_DEGREE / DEGREES_PER_SAMPLE, mode="wrap"
    )
    # The same fibres fill a small disc and leave a large cup in a large one.
    crowding = (_DISC_RADIUS_DEGREE[0] / disc_radius_degree) ** 1.5
    crowding *= np.exp(rng.normal(0, _RIM_LOG_SD))
    fibres = np.maximum(smooth_um - _RIM_FROM_UM, 0) / _RIM_SCALE_UM
    rim = np.clip(1 - np.exp(-crowding * fibres), *_RIM_LIMITS)
    return np.asarray(np.sqrt(1 - rim), np.float32)


def _draw_atrophy(rng: np.random.Generator) -> Atrophy | None:
    if rng.random() > _ATROPHY_SHARE:
        return None
    return Atrophy(
        middle_degree=float(rng.normal(0, 40)),
        half_width_degree=float(rng.uniform(30, 90)),
        width=float(rng.uniform(0.08, 0.35)),
    )

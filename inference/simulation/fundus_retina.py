"""The light a simulated retina gives back: nerve fibres, disc, cup, vessels, macula."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.values.profile import PROFILE_SAMPLES
from inference.simulation.fundus_bundles import CIRCLE_RADIUS_DEGREE, circle_angles_degree
from inference.simulation.fundus_eyes import Atrophy, FundusEye
from inference.simulation.fundus_vessels import paint_vessels
from inference.simulation.fundus_view import FundusView


@dataclass(frozen=True)
class Band:
    """How one colour of light comes back.

    Attributes
    ----------
    retina
        Light of the bare retina, 0 to 1.
    fibres, vessels, mottling, macula
        How strongly each shows, 1 for green.
    rim, cup, atrophy
        Light of the disc's rim, of its cup and of bare sclera over that of the retina.
    """

    retina: float
    fibres: float
    vessels: float
    mottling: float
    macula: float
    rim: float
    cup: float
    atrophy: float


GREEN: Final = Band(0.34, 1.0, 1.0, 1.0, 0.45, 1.7, 2.3, 1.5)
RED: Final = Band(0.72, 0.25, 0.4, 0.7, 0.28, 1.15, 1.3, 1.12)
BLUE: Final = Band(0.16, 1.0, 0.9, 0.8, 0.3, 2.1, 3.4, 1.7)
#: Infrared: the disc is darker than the retina, its cup less so.
INFRARED: Final = Band(0.5, 0.9, 0.75, 0.8, 0.22, 0.6, 0.95, 1.25)

_DISC_EDGE_DEGREE: Final = 0.09
_CUP_EDGE: Final = 0.06
#: Nerve fibres lie thicker near the disc, as they come together, and thin out beyond.
_CROWDING_POWER: Final = 0.8
_MOST_CROWDING: Final = 2.0
_GLIA_UM: Final = 15.0
_STRIPE_SHAPE: Final = (180, 720)
_STRIPE_CHANGES: Final = 10
_FARTHEST_DEGREE: Final = 45.0
_MOTTLING_DEGREE: Final = (0.25, 1.0, 4.0)
_MACULA_DEGREE: Final = ((3.2, 0.6), (0.9, 0.4))


def retina_light(
    eye: FundusEye, view: FundusView, bands: tuple[Band, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the light of each pixel in each band, float32, shape (rows, columns, bands)."""
    distance, angle = view.polar()
    fibres = _fibre_light(eye, distance, angle, rng)
    mottled = eye.mottling * _mottling(view, rng)
    macula = _macula(eye, view)
    disc, cup = _disc_and_cup(eye, distance, angle)
    atrophy = _atrophy_share(eye.atrophy, distance / eye.disc_radius_degree, angle)
    blood = paint_vessels(eye.vessels, (view.rows, view.columns), view.pixel_of, view.px_per_degree)
    light = []
    for band in bands:
        retina = (1 + band.fibres * fibres) * (1 + band.mottling * mottled)
        retina = eye.pigment * retina * (1 - band.macula * macula)
        retina += (band.atrophy - retina) * atrophy
        head = band.rim + (band.cup - band.rim) * cup
        whole = retina + (head - retina) * disc
        light.append(band.retina * whole * (1 - np.minimum(band.vessels * blood, 0.95)))
    return np.stack(light, axis=2).astype(np.float32)


def _fibre_light(
    eye: FundusEye,
    distance: NDArray[np.float32],
    angle: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return the share nerve fibres add to the light of each pixel, striped along the bundles."""
    at_circle = circle_angles_degree(distance, angle)
    sample = (at_circle * (PROFILE_SAMPLES / 360)).astype(np.intp) % PROFILE_SAMPLES
    crowding = (CIRCLE_RADIUS_DEGREE / np.maximum(distance, 0.5)) ** _CROWDING_POWER
    thick = np.maximum(eye.thickness_um[sample] - _GLIA_UM, 0) / 100
    stripes = _stripes(rng)
    row = np.minimum(distance * (_STRIPE_SHAPE[0] / _FARTHEST_DEGREE), _STRIPE_SHAPE[0] - 1)
    column = (at_circle * (_STRIPE_SHAPE[1] / 360)).astype(np.intp) % _STRIPE_SHAPE[1]
    striped = 1 + eye.striation * stripes[row.astype(np.intp), column]
    bright = eye.fibre_light * thick * np.minimum(crowding, _MOST_CROWDING) * striped
    return np.asarray(bright, np.float32)


def _stripes(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return unit-variance noise, distance by angle, alike along a bundle and not across it."""
    rows, columns = _STRIPE_SHAPE
    coarse = rng.standard_normal((_STRIPE_CHANGES, columns), dtype=np.float32)
    coarse = (coarse + np.roll(coarse, 1, axis=1) + np.roll(coarse, 2, axis=1)) / np.sqrt(3)
    image = Image.fromarray(np.asarray(coarse, np.float32))
    return np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR), np.float32)


def _mottling(view: FundusView, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return unit-variance clouds of several sizes over the picture."""
    clouds = np.zeros((view.rows, view.columns), np.float32)
    for length in _MOTTLING_DEGREE:
        clouds += cloud(rng, (view.rows, view.columns), length * view.px_per_degree)
    return clouds / np.float32(np.sqrt(len(_MOTTLING_DEGREE)))


def cloud(
    rng: np.random.Generator, shape: tuple[int, int], length_px: float
) -> NDArray[np.float32]:
    """Return noise of about unit variance that varies over `length_px`, float32."""
    rows, columns = (int(np.ceil(side / length_px)) + 3 for side in shape)
    coarse = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    top, left = rng.uniform(0, 1, 2)
    box = (left, top, left + shape[1] / length_px, top + shape[0] / length_px)
    fine = coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC, box=box)
    # Interpolation keeps about this much of the spread.
    return np.asarray(fine, np.float32) / np.float32(0.8)


def _macula(eye: FundusEye, view: FundusView) -> NDArray[np.float32]:
    temporal, superior = view.plane()
    away = np.hypot(temporal - eye.fovea_degree[0], superior - eye.fovea_degree[1])
    dark = np.zeros_like(away)
    for width, share in _MACULA_DEGREE:
        dark += share * np.exp(-((away / width) ** 2))
    return np.asarray(dark, np.float32)


def _disc_and_cup(
    eye: FundusEye, distance: NDArray[np.float32], angle: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far each pixel belongs to the disc, and in it to the cup, 0 to 1."""
    squash = (eye.disc_height - 1) / 2
    edge = eye.disc_radius_degree * (1 - squash * np.cos(2 * np.deg2rad(angle)))
    disc = _step((edge - distance) / _DISC_EDGE_DEGREE)
    sample = (angle * (PROFILE_SAMPLES / 360)).astype(np.intp) % PROFILE_SAMPLES
    cup = _step((eye.cup_share[sample] - distance / edge) / _CUP_EDGE)
    return disc, cup


def _atrophy_share(
    atrophy: Atrophy | None, radii: NDArray[np.float32], angle: NDArray[np.float32]
) -> NDArray[np.float32]:
    if atrophy is None:
        return np.zeros_like(radii)
    aside = np.abs((angle - atrophy.middle_degree + 180) % 360 - 180) / atrophy.half_width_degree
    edge = 1 + atrophy.width * np.sqrt(np.maximum(1 - aside**2, 0))
    return np.asarray(0.6 * _step((edge - radii) / 0.02) * (aside < 1), np.float32)


def _step(inside: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(inside, -30, 30))), np.float32)

"""Profiles as they come from mistakes: of the wrong eye, turned, flat, of another size or order.

Made from simulated ones, so that a gate can learn what no eye looks like.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.profile import PROFILE_SAMPLES
from inference.sector_profile import SECTORS, profiles_from_sectors, sectors_of
from inference.simulation.noise import circle_noise

Thickness = NDArray[np.float32]

#: Turned by less than this many samples (45°) a profile may still be that of an eye.
_LEAST_TURN: Final = PROFILE_SAMPLES // 8
#: A flat profile has waves of up to this share of its mean, as long as this in degree.
_LARGEST_WAVES: Final = 0.25
_WAVE_LENGTH_DEGREE: Final = 20.0
#: Pieces of a profile put together in a wrong order.
_PIECES: Final = 12
#: Natural log of the factor by which a profile in another unit, or of another layer, is off.
_LOG_FACTOR: Final = (0.5, 1.5)
#: What can be written of a thickness in µm.
_LIMITS_UM: Final = (1.0, 500.0)


def wrong_profiles(
    rng: np.random.Generator, thickness_um: Thickness, age_years: NDArray[np.floating]
) -> Thickness:
    """Return each profile with one mistake, drawn among all, float32, shape (n, 768), µm.

    Parameters
    ----------
    thickness_um
        Shape (n, 768), µm, TSNIT.
    age_years
        Shape (n,).
    """
    mistakes: tuple[Callable[[Thickness, NDArray[np.floating]], Thickness], ...] = (
        lambda good, _: mirrored(good),
        lambda good, _: _turned(rng, good),
        lambda good, _: _turned(rng, mirrored(good)),
        lambda good, _: _flat(rng, good),
        lambda good, _: _in_pieces(rng, good),
        lambda good, _: _scaled(rng, good),
        lambda good, ages: _with_other_sectors(rng, good, ages),
    )
    chosen = rng.integers(len(mistakes), size=len(thickness_um))
    wrong_um = np.empty_like(thickness_um)
    for number, mistake in enumerate(mistakes):
        these = chosen == number
        wrong_um[these] = mistake(thickness_um[these], age_years[these])
    return np.clip(wrong_um, *_LIMITS_UM)


def mirrored(thickness_um: Thickness) -> Thickness:
    """Return profiles with temporal and nasal exchanged: of a left eye taken for a right one."""
    half = PROFILE_SAMPLES // 2
    return thickness_um[:, (half - 1 - np.arange(PROFILE_SAMPLES)) % PROFILE_SAMPLES]


def _turned(rng: np.random.Generator, thickness_um: Thickness) -> Thickness:
    turns = rng.integers(_LEAST_TURN, PROFILE_SAMPLES - _LEAST_TURN, size=(len(thickness_um), 1))
    samples = (np.arange(PROFILE_SAMPLES) - turns) % PROFILE_SAMPLES
    return np.take_along_axis(thickness_um, samples, axis=1)


def _flat(rng: np.random.Generator, thickness_um: Thickness) -> Thickness:
    count = len(thickness_um)
    waves = rng.uniform(0, _LARGEST_WAVES, (count, 1)) * circle_noise(
        rng, count, _WAVE_LENGTH_DEGREE
    )
    return np.asarray(thickness_um.mean(axis=1, keepdims=True) * (1 + waves), dtype=np.float32)


def _in_pieces(rng: np.random.Generator, thickness_um: Thickness) -> Thickness:
    order = _wrong_orders(rng, len(thickness_um), _PIECES)
    pieces = thickness_um.reshape(-1, _PIECES, PROFILE_SAMPLES // _PIECES)
    return np.take_along_axis(pieces, order[:, :, np.newaxis], axis=1).reshape(thickness_um.shape)


def _scaled(rng: np.random.Generator, thickness_um: Thickness) -> Thickness:
    shape = (len(thickness_um), 1)
    log_factor = rng.choice((-1.0, 1.0), shape) * rng.uniform(*_LOG_FACTOR, shape)
    return np.asarray(thickness_um * np.exp(log_factor), dtype=np.float32)


def _with_other_sectors(
    rng: np.random.Generator, thickness_um: Thickness, age_years: NDArray[np.floating]
) -> Thickness:
    order = _wrong_orders(rng, len(thickness_um), len(SECTORS))
    shuffled_um = np.take_along_axis(sectors_of(thickness_um), order, axis=1)
    return profiles_from_sectors(shuffled_um, age_years)


def _wrong_orders(rng: np.random.Generator, count: int, length: int) -> NDArray[np.intp]:
    """Return random orders of that many things, shape (count, length), none the right one."""
    right = np.arange(length)
    orders = rng.permuted(np.tile(right, (count, 1)), axis=1)
    is_right = np.all(orders == right, axis=1)
    orders[is_right] = np.roll(right, 1)
    return orders

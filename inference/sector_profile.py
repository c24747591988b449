"""A whole profile rebuilt from the six sector means that a device's report prints.

The sectors fix the height of the profile, not its shape inside them: the shape is the normal one of
that age, bent smoothly until the means are met. Nothing narrower than a sector comes back.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import SLOPE_UM_PER_YEAR, normal_profile_um
from core.values.profile import (
    DEGREES_PER_SAMPLE,
    PROFILE_ANGLES_DEGREE,
    PROFILE_SAMPLES,
    SECTOR_LIMITS_DEGREE,
)

#: The sectors in the order of TSNIT and of every array of them.
SECTORS: Final = tuple(SECTOR_LIMITS_DEGREE)

#: The correction passes from one sector into the next over this SD in degree.
_PASSAGE_DEGREE: Final = 15.0

#: Means are met to this share of themselves, far below what float32 keeps of them.
_TOLERANCE: Final = 1e-9
_MOST_STEPS: Final = 60
#: No step changes the thickness by more than this factor (natural log): the rule below stays exact.
_LARGEST_LOG_STEP: Final = 1.0

#: Eyes worked on at once, to bound memory.
_CHUNK: Final = 2000


def profile_from_sectors(sectors_um: NDArray[np.floating], age_years: float) -> NDArray[np.float32]:
    """Return the profile of one eye, as `profiles_from_sectors` does of many.

    Parameters
    ----------
    sectors_um
        Shape (6,): mean thickness of T, TS, NS, N, NI, TI in µm.
    age_years
        Age at the scan.

    Returns
    -------
    float32, shape (768,), µm, TSNIT.
    """
    (profile_um,) = profiles_from_sectors(np.asarray(sectors_um)[np.newaxis], np.array([age_years]))
    return np.asarray(profile_um, dtype=np.float32)


def profiles_from_sectors(
    sectors_um: NDArray[np.floating], age_years: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return smooth, positive profiles with exactly these sector means.

    Parameters
    ----------
    sectors_um
        Shape (n, 6): mean thickness of T, TS, NS, N, NI, TI in µm, all above 0.
    age_years
        Shape (n,): ages at the scans.

    Returns
    -------
    float32, shape (n, 768), µm, TSNIT.

    Raises
    ------
    ValueError
        If a sector or an age is no finite number, a sector is not above 0, or neighbouring sectors
        differ so much that no smooth profile joins them.
    """
    wanted_um = np.asarray(sectors_um, dtype=np.float64)
    ages = np.asarray(age_years, dtype=np.float64)
    _check(wanted_um, ages)
    profiles_um = np.empty((len(ages), PROFILE_SAMPLES), dtype=np.float32)
    for start in range(0, len(ages), _CHUNK):
        part = slice(start, start + _CHUNK)
        profiles_um[part] = _bent(_normal_um(ages[part]), wanted_um[part])
    return profiles_um


def sectors_of(thickness_um: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the six sector means of profiles, shape (n, 6), for thickness of shape (n, 768)."""
    return np.asarray(thickness_um, dtype=np.float64) @ _means().T


def _bent(normal_um: NDArray[np.float64], wanted_um: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal profiles times exp(a smooth curve), the curve found by Newton's method."""
    log_factors = np.log(wanted_um / sectors_of(normal_um))
    for _ in range(_MOST_STEPS):
        profiles_um = normal_um * np.exp(log_factors @ _passages())
        found_um = sectors_of(profiles_um)
        missing = np.log(wanted_um / found_um)
        if np.max(np.abs(missing)) < _TOLERANCE:
            return profiles_um
        slopes = np.einsum("sa,na,ta->nst", _means(), profiles_um, _passages(), optimize=True)
        step = np.linalg.solve(slopes / found_um[:, :, np.newaxis], missing[:, :, np.newaxis])
        log_factors += np.clip(step[:, :, 0], -_LARGEST_LOG_STEP, _LARGEST_LOG_STEP)
    raise ValueError(
        "neighbouring sectors differ so much that no smooth profile joins them: are they in the "
        "order T, TS, NS, N, NI, TI and all in µm?"
    )


def _normal_um(ages_years: NDArray[np.float64]) -> NDArray[np.float64]:
    return normal_profile_um(0.0) + SLOPE_UM_PER_YEAR * ages_years[:, np.newaxis]


@cache
def _inside() -> NDArray[np.bool_]:
    """Return which samples belong to each sector, shape (6, 768)."""
    limits = SECTOR_LIMITS_DEGREE.values()
    return np.array(
        [(PROFILE_ANGLES_DEGREE - first) % 360 < last - first for first, last in limits]
    )


@cache
def _means() -> NDArray[np.float64]:
    """Return the weights that average a profile over each sector, shape (6, 768)."""
    inside = _inside().astype(np.float64)
    return np.asarray(inside / inside.sum(axis=1, keepdims=True), dtype=np.float64)


@cache
def _passages() -> NDArray[np.float64]:
    """Return how much of each sector's correction each sample gets, shape (6, 768).

    The sectors, blurred around the circle; each sample's six shares sum to 1.
    """
    cycles = np.fft.rfftfreq(PROFILE_SAMPLES, DEGREES_PER_SAMPLE)
    response = np.exp(-2 * (np.pi * cycles * _PASSAGE_DEGREE) ** 2)
    spectrum = np.fft.rfft(_inside().astype(np.float64), axis=1) * response
    return np.asarray(np.fft.irfft(spectrum, n=PROFILE_SAMPLES, axis=1), dtype=np.float64)


def _check(sectors_um: NDArray[np.float64], ages_years: NDArray[np.float64]) -> None:
    if ages_years.ndim != 1 or sectors_um.shape != (len(ages_years), len(SECTORS)):
        raise ValueError(
            f"six sectors {', '.join(SECTORS)} and one age for each eye are needed, not shapes "
            f"{sectors_um.shape} and {ages_years.shape}"
        )
    if not (np.all(np.isfinite(sectors_um)) and np.all(np.isfinite(ages_years))):
        raise ValueError("a sector or the age is missing; neither may be filled in")
    if np.any(sectors_um <= 0):
        raise ValueError("the mean thickness of a sector must be above 0 µm")

"""Makes the gate of a model from the simulated eyes it is trained on."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.profile_gate import (
    FLAT,
    JAGGED,
    STATISTICS,
    THICKEST,
    ProfileGate,
    odds_length,
    places,
    products,
)
from inference.sector_profile import profiles_from_sectors, sectors_of
from inference.simulation.noise import circle_noise
from inference.simulation.wrong_profiles import wrong_profiles

#: Eyes looked at; more would not move the limits.
_MOST_EYES: Final = 10000
_FEWEST_EYES: Final = 500

#: Few, because the finer ways in which simulated eyes differ are the simulator's own.
_DIRECTIONS: Final = 8

#: What real eyes have beside: waves of their own, as a share and over how many degree; and what
#: vessels and segmentation add, in µm.
_WAVES, _WAVE_LENGTH_DEGREE = 0.1, 8.0
_LIFTS_UM, _LIFT_LENGTH_DEGREE = 4.0, 3.0

#: Each statistic lets in this share, in percent, of simulated eyes.
_LET_IN_PERCENT: Final = 99.95
#: Segmented profiles are more jagged than simulated ones, though hardly more than bare vessels,
#: which eyes of varied build show; samples in a wrong order stay outside.
_JAGGED_MARGIN: Final = 1.5
#: A nerve that lost nearly all its fibres is flatter than any eye simulated on the bank.
_FLAT_MARGIN: Final = 0.6

#: The logistic regression: its ridge, its steps, and where log odds are cut off on the way.
_PENALTY: Final = 1.0
_STEPS: Final = 12
_LARGEST_LOG_ODDS: Final = 30.0


def fit_gate(
    rng: np.random.Generator, thickness_um: NDArray[np.float32], age_years: NDArray[np.floating]
) -> ProfileGate:
    """Return the gate that lets in profiles like these, however they were taken.

    They are looked at as they are, with more variation than is simulated, and rebuilt from six
    sectors. Half of the eyes say what a profile looks like, the others set the limits.

    Parameters
    ----------
    thickness_um
        float32, shape (n, 768), µm, TSNIT: simulated eyes of the training patients.
    age_years
        Shape (n,).

    Raises
    ------
    ValueError
        If there are fewer eyes than 500: 20000 are as good as more.
    """
    count = min(_MOST_EYES, len(thickness_um))
    if count < _FEWEST_EYES:
        raise ValueError(f"a gate needs {_FEWEST_EYES} eyes at least, not {count}")
    half, ages = count // 2, np.asarray(age_years[:count], dtype=np.float64)
    taken = _as_taken(rng, thickness_um[:count], ages)
    good_um = np.concatenate([version[:half] for version in taken])
    wrong_um = wrong_profiles(rng, good_um, np.tile(ages[:half], len(taken)))
    gate = _with_odds(_principal(good_um), good_um, wrong_um)
    return replace(gate, limits=_limits(gate, [version[half:] for version in taken]))


def _as_taken(
    rng: np.random.Generator, thickness_um: NDArray[np.float32], age_years: NDArray[np.float64]
) -> tuple[NDArray[np.float32], ...]:
    """Return the eyes as they are, with more variation, and as six sectors tell of them."""
    waves = np.exp(_WAVES * circle_noise(rng, len(thickness_um), _WAVE_LENGTH_DEGREE))
    lifts_um = _LIFTS_UM * np.abs(circle_noise(rng, len(thickness_um), _LIFT_LENGTH_DEGREE))
    varied_um = (thickness_um * waves + lifts_um).astype(np.float32)
    return thickness_um, varied_um, profiles_from_sectors(sectors_of(thickness_um), age_years)


def _principal(good_um: NDArray[np.float32]) -> ProfileGate:
    """Return a gate that knows how eyes differ, and lets everything in."""
    roots = np.sqrt(places(good_um))
    centre = roots.mean(axis=0)
    variances, vectors = np.linalg.eigh(np.cov((roots - centre).T))
    return ProfileGate(
        centre=centre,
        directions=vectors[:, ::-1][:, :_DIRECTIONS],
        scales=np.sqrt(variances[::-1][:_DIRECTIONS]),
        odds=np.zeros(odds_length(_DIRECTIONS)),
        limits=np.full(STATISTICS, np.finfo(np.float64).max),
    )


def _with_odds(
    gate: ProfileGate, good_um: NDArray[np.float32], wrong_um: NDArray[np.float32]
) -> ProfileGate:
    """Return the gate with a logistic regression of wrong against good, by Newton's method."""
    both_um = np.concatenate([good_um, wrong_um])
    features = products(gate.coordinates(places(both_um)))
    is_wrong = np.repeat([0.0, 1.0], [len(good_um), len(wrong_um)])
    ridge, odds = _PENALTY * np.eye(features.shape[1]), gate.odds
    for _ in range(_STEPS):
        log_odds = np.clip(features @ odds, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        chance = 1 / (1 + np.exp(-log_odds))
        curvature = (features * (chance * (1 - chance))[:, np.newaxis]).T @ features + ridge
        odds = odds + np.linalg.solve(curvature, features.T @ (is_wrong - chance) - _PENALTY * odds)
    return replace(gate, odds=odds)


def _limits(gate: ProfileGate, taken: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return limits that let in nearly all eyes, each way they are taken."""
    statistics = [gate.statistics(version) for version in taken]
    limits = np.max([np.percentile(of, _LET_IN_PERCENT, axis=0) for of in statistics], axis=0)
    limits[JAGGED] *= _JAGGED_MARGIN
    limits[FLAT] *= _FLAT_MARGIN
    # The variation that is added thickens the thickest places of normal eyes into swollen ones.
    limits[THICKEST] = np.percentile(statistics[0][:, THICKEST], _LET_IN_PERCENT)
    return np.asarray(limits, dtype=np.float64)

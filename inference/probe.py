"""A fixed set of eyes on which two ways to compute one network are compared."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.perimetry.rnfl import normal_profile_um
from inference.model_card import ModelCard, ModelKind
from inference.runtimes.network import NetworkAnswer

PROBE_EYES: Final = 64

_SEED: Final = 24
#: Sectors of the disc that are thinned apart from each other, and what may be left of each.
_SECTORS: Final = 24
_LEFT: Final = (0.3, 1.15)
#: Of the values of an unrolled photograph.
_SPREAD: Final = 0.3


def probe_eyes(
    card: ModelCard, count: int = PROBE_EYES
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return structures as the network reads them, (count, *shape), and ages in years, (count,).

    The same ones for every call with the same card.
    """
    rng = np.random.default_rng(_SEED)
    ages = np.linspace(*card.trained_age_range_years, count, dtype=np.float32)
    shape = card.inputs[0].shape
    if card.kind is ModelKind.FUNDUS:
        return rng.normal(0, _SPREAD, (count, *shape)).astype(np.float32), ages
    left = rng.uniform(*_LEFT, (count, _SECTORS))
    healthy_um = np.stack([normal_profile_um(float(age)) for age in ages])
    thinned_um = healthy_um * np.repeat(left, shape[0] // _SECTORS, axis=1)
    return thinned_um.reshape(count, *shape).astype(np.float32), ages


def largest_difference_db(first: NetworkAnswer, second: NetworkAnswer) -> float:
    """Return how far two answers for the same eyes lie apart at most, field and spread, in dB."""
    apart = np.abs(first.sensitivities_db - second.sensitivities_db).max()
    if first.spread_db is not None and second.spread_db is not None:
        apart = max(apart, np.abs(first.spread_db - second.spread_db).max())
    return float(apart)

"""True fields of simulated eyes: healthy ones, and ones with a pattern of loss."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.perimetry.indices import GENERAL_HEIGHT_RANK
from core.perimetry.norms import norms_db
from inference.simulation.noise import field_noise

HEALTHY_FRACTION: Final = 0.3

_AGE_MEAN_YEARS, _AGE_SD_YEARS = 62.0, 13.0
AGE_LIMITS_YEARS: Final = (20.0, 92.0)

#: Spread between healthy people in dB: of the whole field, and of its points.
_HEALTHY_GLOBAL_SD_DB: Final = 1.1
_HEALTHY_POINT_SD_DB: Final = 1.2

#: Below 0 dB there is nothing left to see; perimeters stop at 40 dB.
_TRUE_LIMITS_DB: Final = (-2.0, 40.0)

#: How much of a general height is loss of fibres and not cataract or a quick patient.
_HEIGHT_LIMITS_DB: Final = (-3.0, 4.0)
_DIFFUSE_SHARE: Final = 0.5
_DIFFUSE_FROM_DB: Final = -1.0


class PatternSource(Protocol):
    """Where patterns of loss come from: the bank of real ones, or wedges."""

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Return that many total-deviation patterns in dB, shape (count, 52), right-eye format."""
        ...


@dataclass(frozen=True)
class SimulatedFields:
    """True fields before any measurement.

    Attributes
    ----------
    age_years
        float64, shape (n,).
    total_deviation_db
        float64, shape (n, 52), right-eye format.
    healthy
        bool, shape (n,): no fibre loss.
    """

    age_years: NDArray[np.float64]
    total_deviation_db: NDArray[np.float64]
    healthy: NDArray[np.bool_]

    @property
    def sensitivities_db(self) -> NDArray[np.float64]:
        """True sensitivity in dB, shape (n, 52), -2 to 40; below 0 nothing is seen."""
        return np.clip(norms_db(self.age_years) + self.total_deviation_db, *_TRUE_LIMITS_DB)

    @property
    def survival(self) -> NDArray[np.float64]:
        """Share of the nerve fibres each point still has, shape (n, 52), 0 to 1."""
        total_db = self.total_deviation_db
        height_db = np.sort(total_db, axis=1)[:, -GENERAL_HEIGHT_RANK, np.newaxis]
        local_db = np.minimum(total_db - np.clip(height_db, *_HEIGHT_LIMITS_DB), 0)
        loss_db = local_db + _DIFFUSE_SHARE * np.minimum(height_db - _DIFFUSE_FROM_DB, 0)
        loss_db[self.healthy] = 0
        return np.asarray(10 ** (loss_db / 10), dtype=np.float64)


def simulate_fields(
    rng: np.random.Generator,
    count: int,
    patterns: PatternSource,
    healthy_fraction: float = HEALTHY_FRACTION,
) -> SimulatedFields:
    """Return that many true fields, a share of them healthy, the others with a drawn pattern."""
    age_years = np.clip(rng.normal(_AGE_MEAN_YEARS, _AGE_SD_YEARS, count), *AGE_LIMITS_YEARS)
    healthy = rng.random(count) < healthy_fraction
    total_db = np.where(
        healthy[:, np.newaxis], _healthy_deviation_db(rng, count), patterns.draw(rng, count)
    )
    return SimulatedFields(age_years, total_db, healthy)


def _healthy_deviation_db(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    whole = _HEALTHY_GLOBAL_SD_DB * rng.standard_normal((count, 1))
    return whole + _HEALTHY_POINT_SD_DB * field_noise(rng, count)

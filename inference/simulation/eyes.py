"""Simulated eyes: a thickness profile paired with the field that belongs to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.simulation.anatomy import EyeAnatomies
from inference.simulation.fields import HEALTHY_FRACTION, PatternSource, simulate_fields
from inference.simulation.measurement import MEASURED_LIMITS_DB, measure_fields
from inference.simulation.profiles import simulate_profiles


@dataclass(frozen=True)
class SimulatedEyes:
    """Pairs of structure and function.

    Attributes
    ----------
    thickness_um
        float32, shape (n, 768), TSNIT.
    age_years
        float32, shape (n,).
    true_db, measured_db
        float32, shape (n, 52), right-eye order, 0 to 40: the field without noise, and one simulated
        test of it.
    mean_deviation_db
        float32, shape (n,): unweighted mean of the true total deviation, for severity.
    healthy
        bool, shape (n,): without a pattern of loss.
    """

    thickness_um: NDArray[np.float32]
    age_years: NDArray[np.float32]
    true_db: NDArray[np.float32]
    measured_db: NDArray[np.float32]
    mean_deviation_db: NDArray[np.float32]
    healthy: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.age_years)


def simulate_eyes(
    rng: np.random.Generator,
    count: int,
    patterns: PatternSource,
    healthy_fraction: float = HEALTHY_FRACTION,
    anatomies: EyeAnatomies | None = None,
) -> SimulatedEyes:
    """Return that many simulated eyes; the same generator state gives the same eyes.

    Parameters
    ----------
    anatomies
        One for each eye, drawn by a generator of their own: ages and fields stay those of the plain
        eyes. None where every eye is built as the normal one.
    """
    fields = simulate_fields(rng, count, patterns, healthy_fraction)
    true_db = fields.sensitivities_db
    return SimulatedEyes(
        thickness_um=simulate_profiles(rng, fields, anatomies),
        age_years=fields.age_years.astype(np.float32),
        true_db=np.clip(true_db, *MEASURED_LIMITS_DB).astype(np.float32),
        measured_db=measure_fields(rng, true_db).astype(np.float32),
        mean_deviation_db=np.mean(fields.total_deviation_db, axis=1).astype(np.float32),
        healthy=fields.healthy,
    )

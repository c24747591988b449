"""How severe patterns of loss are, and sources of them with an asked mix of severities."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from inference.errors import TrainingDataInvalid
from inference.simulation.fields import PatternSource

#: Mean total deviation in dB below which loss is moderate, and advanced.
MODERATE_BELOW_DB: Final = -6.0
ADVANCED_BELOW_DB: Final = -12.0

#: Patterns drawn at a time for one that is kept, and how often before a severity is given up.
_DRAWN_PER_KEPT: Final = 4
_MOST_DRAWS: Final = 200


@dataclass(frozen=True)
class SeverityShares:
    """Shares of early, moderate and advanced loss, 0 to 1; they sum to 1."""

    early: float
    moderate: float
    advanced: float

    def __post_init__(self) -> None:
        shares = self.as_array()
        if not (np.all(shares >= 0) and abs(shares.sum() - 1) < 1e-6):
            raise ValueError("the shares of early, moderate and advanced loss must sum to 1")

    def as_array(self) -> NDArray[np.float64]:
        """Return early, moderate, advanced, shape (3,)."""
        return np.array([self.early, self.moderate, self.advanced], dtype=np.float64)

    @classmethod
    def of(cls, mean_deviation_db: NDArray[np.floating]) -> Self:
        """Return the shares among eyes with those mean deviations in dB, shape (n,), n above 0."""
        return cls(*np.bincount(severity(mean_deviation_db), minlength=3) / len(mean_deviation_db))


def severity(mean_deviation_db: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return 0 for early, 1 for moderate and 2 for advanced loss, same shape."""
    mean_db = np.asarray(mean_deviation_db)
    return (mean_db < MODERATE_BELOW_DB).astype(np.intp) + (mean_db < ADVANCED_BELOW_DB)


@dataclass(frozen=True)
class PatternsOfSeverity:
    """Patterns of another source, so many of each severity.

    Attributes
    ----------
    source
        Where they come from.
    shares
        How many of each severity.
    """

    source: PatternSource
    shares: SeverityShares

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Return that many patterns in dB, shape (count, 52), right-eye format.

        Raises
        ------
        TrainingDataInvalid
            If the source has no pattern of a severity that is asked for.
        """
        wanted = rng.choice(3, p=self.shares.as_array(), size=count)
        patterns = np.empty((0, 0))
        missing = np.ones(count, dtype=np.bool_)
        for _ in range(_MOST_DRAWS):
            drawn = self.source.draw(rng, _DRAWN_PER_KEPT * max(1, int(missing.sum())))
            patterns = np.empty((count, drawn.shape[1])) if not patterns.size else patterns
            _fill(patterns, missing, wanted, drawn)
            if not missing.any():
                return patterns
        raise TrainingDataInvalid(
            "The patterns hold too few eyes of a severity that was asked for; ask for another mix."
        )


def _fill(
    patterns: NDArray[np.float64],
    missing: NDArray[np.bool_],
    wanted: NDArray[np.intp],
    drawn: NDArray[np.float64],
) -> None:
    """Put drawn patterns where one of their severity is missing."""
    found = severity(drawn.mean(axis=1))
    for level in range(3):
        places = np.flatnonzero(missing & (wanted == level))
        fitting = drawn[found == level][: len(places)]
        patterns[places[: len(fitting)]] = fitting
        missing[places[: len(fitting)]] = False

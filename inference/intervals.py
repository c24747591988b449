"""Intervals beside each estimate: split-conformal offsets, one pair per range of estimated dB."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Share of single measured sensitivities that should lie inside the interval.
INTERVAL_LEVEL: Final = 0.90

#: Shares of all estimates below each border between two ranges: narrow ranges among the few low
#: estimates, where errors are large and change quickly.
_BORDERS: Final = (0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class IntervalTable:
    """How far below and above an estimate a measurement of the same eye may lie.

    Attributes
    ----------
    level
        Share of measurements meant to lie inside, 0 to 1.
    edges_db
        Ascending borders between the ranges of the estimate, in dB.
    lower_offsets_db, upper_offsets_db
        One more than there are edges: added to the estimate, at most 0 and at least 0.
    """

    level: float
    edges_db: tuple[float, ...]
    lower_offsets_db: tuple[float, ...]
    upper_offsets_db: tuple[float, ...]

    def __post_init__(self) -> None:
        ranges = len(self.edges_db) + 1
        if not len(self.lower_offsets_db) == len(self.upper_offsets_db) == ranges:
            raise ValueError(f"The interval table needs {ranges} lower and upper offsets.")
        if max(self.lower_offsets_db) > 0 or min(self.upper_offsets_db) < 0:
            raise ValueError("The interval table must enclose the estimate itself.")

    def limits_db(
        self, estimates_db: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the lower and upper limit of each estimate in dB, same shape."""
        ranges = np.digitize(estimates_db, self.edges_db)
        lower = estimates_db + np.array(self.lower_offsets_db, dtype=np.float32)[ranges]
        upper = estimates_db + np.array(self.upper_offsets_db, dtype=np.float32)[ranges]
        return lower, upper


def fit_intervals(
    estimates_db: NDArray[np.float32], measured_db: NDArray[np.float32]
) -> IntervalTable:
    """Return the offsets that hold `INTERVAL_LEVEL` of the measurements, for eyes not trained on.

    The ranges follow the spread of the estimates, so that each holds enough of them.

    Parameters
    ----------
    estimates_db, measured_db
        Same shape (n, 52), dB.

    Raises
    ------
    ValueError
        If a range of estimates is too thinly filled for its offsets to mean anything.
    """
    edges_db = np.unique(np.round(np.quantile(estimates_db, _BORDERS).astype(np.float64), 2))
    ranges = np.digitize(estimates_db.ravel(), edges_db)
    misses_db = (measured_db - estimates_db).ravel()
    offsets = [_offsets_db(misses_db[ranges == index]) for index in range(len(edges_db) + 1)]
    return IntervalTable(
        level=INTERVAL_LEVEL,
        edges_db=tuple(edges_db.tolist()),
        lower_offsets_db=tuple(lower for lower, _ in offsets),
        upper_offsets_db=tuple(upper for _, upper in offsets),
    )


def _offsets_db(misses_db: NDArray[np.float32]) -> tuple[float, float]:
    count = len(misses_db)
    tail = (1 - INTERVAL_LEVEL) / 2
    # The finite-sample rank of conformal prediction: the new eye counts as one more.
    rank = np.ceil((count + 1) * (1 - tail))
    if rank > count:
        raise ValueError(f"{count} points in a range of estimates are too few for an interval.")
    ordered = np.sort(misses_db)
    lower, upper = ordered[count - int(rank)], ordered[int(rank) - 1]
    return min(round(float(lower), 3), 0.0), max(round(float(upper), 3), 0.0)

"""Intervals beside each estimate: split-conformal, one pair of numbers per range of estimated dB.

A network that says how far off it may be has its spread corrected by factors; any other gets
offsets. Both are set on eyes of patients that were neither trained on nor tested on.
"""

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

    Either the offsets are given, or the factors of the network's own spread.

    Attributes
    ----------
    level
        Share of measurements meant to lie inside, 0 to 1.
    edges_db
        Ascending borders between the ranges of the estimate, in dB.
    lower_offsets_db, upper_offsets_db
        One more than there are edges: added to the estimate, at most 0 and at least 0.
    lower_factors, upper_factors
        One more than there are edges, at least 0: times the spread below and above the estimate.
    """

    level: float
    edges_db: tuple[float, ...]
    lower_offsets_db: tuple[float, ...] = ()
    upper_offsets_db: tuple[float, ...] = ()
    lower_factors: tuple[float, ...] = ()
    upper_factors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        offsets = (self.lower_offsets_db, self.upper_offsets_db)
        factors = (self.lower_factors, self.upper_factors)
        ranges = len(self.edges_db) + 1
        lengths = tuple(len(column) for column in (*offsets, *factors))
        if lengths not in {(ranges, ranges, 0, 0), (0, 0, ranges, ranges)}:
            raise ValueError(
                f"The interval table needs {ranges} lower and upper offsets, or as many factors."
            )
        if max(self.lower_offsets_db, default=0) > 0 or min(self.upper_offsets_db, default=0) < 0:
            raise ValueError("The interval table must enclose the estimate itself.")
        if min((*self.lower_factors, *self.upper_factors), default=0) < 0:
            raise ValueError("The factors of the interval table must not be negative.")

    @property
    def needs_spread(self) -> bool:
        """Whether the network must say how far off it may be."""
        return bool(self.lower_factors)

    def limits_db(
        self, estimates_db: NDArray[np.float32], spread_db: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the lower and upper limit of each estimate in dB, same shape.

        Parameters
        ----------
        estimates_db
            Shape (n, 52), dB.
        spread_db
            Shape (n, 52, 2), dB: the network's own spread below and above, where it gives one.

        Raises
        ------
        ValueError
            If the table has factors and there is no spread to apply them to.
        """
        ranges = np.digitize(estimates_db, self.edges_db)
        if not self.needs_spread:
            below, above = (
                np.array(offsets, dtype=np.float32)[ranges]
                for offsets in (self.lower_offsets_db, self.upper_offsets_db)
            )
            return estimates_db + below, estimates_db + above
        if spread_db is None:
            raise ValueError("The intervals of this model need the spread its network should give.")
        below = spread_db[:, :, 0] * np.array(self.lower_factors, dtype=np.float32)[ranges]
        above = spread_db[:, :, 1] * np.array(self.upper_factors, dtype=np.float32)[ranges]
        return estimates_db - below, estimates_db + above


def fit_intervals(
    estimates_db: NDArray[np.float32],
    measured_db: NDArray[np.float32],
    spread_db: NDArray[np.float32] | None = None,
    eye_weights: NDArray[np.floating] | None = None,
) -> IntervalTable:
    """Return the table that holds `INTERVAL_LEVEL` of the measurements, for eyes not trained on.

    The ranges follow the spread of the estimates, so that each holds enough of them.

    Parameters
    ----------
    estimates_db, measured_db
        Same shape (n, 52), dB.
    spread_db
        Shape (n, 52, 2), dB, above 0, where the network gives it.
    eye_weights
        Shape (n,): how much each eye counts; None counts all alike.

    Raises
    ------
    ValueError
        If a range of estimates is too thinly filled for its numbers to mean anything.
    """
    edges_db = np.unique(np.round(np.quantile(estimates_db, _BORDERS).astype(np.float64), 2))
    ranges = np.digitize(estimates_db, edges_db)
    weights = np.ones(len(estimates_db)) if eye_weights is None else eye_weights
    point_weights = np.broadcast_to(weights[:, np.newaxis], estimates_db.shape)
    below_db = estimates_db - measured_db
    unit = np.ones((*estimates_db.shape, 2)) if spread_db is None else spread_db

    def column(misses: NDArray[np.floating]) -> tuple[float, ...]:
        inside = [ranges == index for index in range(len(edges_db) + 1)]
        return tuple(_reach(misses[here], point_weights[here]) for here in inside)

    lower, upper = column(below_db / unit[:, :, 0]), column(-below_db / unit[:, :, 1])
    edges = tuple(edges_db.tolist())
    if spread_db is None:
        negative = tuple(-reach for reach in lower)
        return IntervalTable(INTERVAL_LEVEL, edges, negative, upper)
    return IntervalTable(INTERVAL_LEVEL, edges, lower_factors=lower, upper_factors=upper)


def _reach(misses: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    """Return how far one side must reach to leave half of what may lie outside beyond it."""
    tail = (1 - INTERVAL_LEVEL) / 2
    if len(misses) * tail < 1:
        raise ValueError(
            f"{len(misses)} estimates in one range are too few for intervals: use more eyes."
        )
    order = np.argsort(misses)
    share = np.cumsum(weights[order])
    # One more than are there, as for a measurement still to come.
    wanted = (1 - tail) * (share[-1] + weights.mean())
    index = min(int(np.searchsorted(share, wanted)), len(order) - 1)
    return round(max(float(misses[order[index]]), 0.0), 4)

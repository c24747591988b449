"""How far two ways to the same number lie apart: bias and limits of agreement.

Source: Bland & Altman 1986 (Lancet 1:307). The limits hold 95 % of differences that are spread
normally and alike over the whole range, of eyes that have nothing to do with each other; two eyes
of one patient do, so they are somewhat too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

#: Of fewer pairs no limits are given.
MINIMUM_PAIRS: Final = 10
#: Standard deviations that hold 95 % of a normal distribution.
_NORMAL_95: Final = 1.959964


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Differences of pairs, in their own unit.

    Attributes
    ----------
    pairs
        How many there are.
    bias
        Mean difference.
    lower, upper
        Limits of agreement; None with fewer than `MINIMUM_PAIRS`.
    """

    pairs: int
    bias: float
    lower: float | None
    upper: float | None


def limits_of_agreement(
    values: Sequence[float], references: Sequence[float]
) -> LimitsOfAgreement | None:
    """Return how values lie to the references beside them; None without a pair.

    Raises
    ------
    ValueError
        If there are more of one than of the other, or a number is not finite.
    """
    first, second = np.asarray(values, np.float64), np.asarray(references, np.float64)
    if first.shape != second.shape:
        raise ValueError("Agreement needs a reference for each value.")
    differences = first - second
    if not np.all(np.isfinite(differences)):
        raise ValueError("A pair without a number cannot be compared.")
    if differences.size == 0:
        return None
    bias = float(differences.mean())
    if differences.size < MINIMUM_PAIRS:
        return LimitsOfAgreement(int(differences.size), bias, None, None)
    half = _NORMAL_95 * float(differences.std(ddof=1))
    return LimitsOfAgreement(int(differences.size), bias, bias - half, bias + half)

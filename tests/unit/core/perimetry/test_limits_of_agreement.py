import math
import statistics

import pytest

from core.perimetry.limits_of_agreement import (
    MINIMUM_PAIRS,
    LimitsOfAgreement,
    limits_of_agreement,
)


def test_limits_are_the_bias_and_two_standard_deviations_around_it() -> None:
    references = [float(n) for n in range(12)]
    differences = [0.5, -1.5, 2.0, 0.0, 1.0, -0.5, 0.5, 1.5, -2.0, 0.0, 1.0, 0.5]

    found = limits_of_agreement(
        [r + d for r, d in zip(references, differences, strict=True)], references
    )

    bias, half = statistics.mean(differences), 1.959964 * statistics.stdev(differences)
    assert found == LimitsOfAgreement(
        12, pytest.approx(bias), pytest.approx(bias - half), pytest.approx(bias + half)
    )


def test_few_pairs_have_a_bias_and_no_limits() -> None:
    assert limits_of_agreement([1.0, 3.0], [0.0, 0.0]) == LimitsOfAgreement(2, 2.0, None, None)
    assert limits_of_agreement([1.0] * (MINIMUM_PAIRS - 1), [0.0] * (MINIMUM_PAIRS - 1)) == (
        LimitsOfAgreement(MINIMUM_PAIRS - 1, 1.0, None, None)
    )


def test_no_pairs_say_nothing() -> None:
    assert limits_of_agreement([], []) is None


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="a reference for each"):
        limits_of_agreement([1.0], [])
    with pytest.raises(ValueError, match="without a number"):
        limits_of_agreement([math.nan], [1.0])

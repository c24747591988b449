import numpy as np
import pytest

from core.perimetry.pattern import X_DEGREE, Y_DEGREE, x_as_patient_sees
from core.perimetry.places import eye_of_24_2, sensitivities_at_24_2
from core.values.laterality import Laterality


@pytest.mark.parametrize("laterality", Laterality)
def test_values_come_into_right_eye_order_whatever_their_own(laterality: Laterality) -> None:
    values = np.arange(52, dtype=np.float32)
    order = np.random.default_rng(1).permutation(52)
    x = x_as_patient_sees(laterality)[order]

    found = sensitivities_at_24_2(x, Y_DEGREE[order], list(values[order]), laterality)

    assert found is not None
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("laterality", Laterality)
def test_nasal_places_tell_the_eye(laterality: Laterality) -> None:
    assert eye_of_24_2(x_as_patient_sees(laterality), Y_DEGREE) is laterality


def test_places_of_both_eyes_or_of_neither_tell_none() -> None:
    both = np.concatenate([X_DEGREE, -X_DEGREE])

    assert eye_of_24_2(both, np.concatenate([Y_DEGREE, Y_DEGREE])) is None
    assert eye_of_24_2(X_DEGREE[:10], Y_DEGREE[:10]) is None


def test_missing_place_or_value_gives_no_field() -> None:
    values: list[float | None] = [1.0] * 52

    assert sensitivities_at_24_2(X_DEGREE[1:], Y_DEGREE[1:], values[1:], Laterality.RIGHT) is None
    assert sensitivities_at_24_2(X_DEGREE, Y_DEGREE, [None, *values[1:]], Laterality.RIGHT) is None


def test_field_of_the_other_eye_gives_none() -> None:
    assert sensitivities_at_24_2(X_DEGREE, Y_DEGREE, [1.0] * 52, Laterality.LEFT) is None

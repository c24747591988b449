import numpy as np
import pytest

from core.perimetry.agreement import compare_fields
from core.perimetry.indices import deviations
from core.perimetry.norms import norm_db


def test_differences_are_estimate_less_measurement() -> None:
    measured = norm_db(60).astype(np.float32) - 6
    estimated = measured + np.linspace(-2, 4, 52, dtype=np.float32)

    found = compare_fields(estimated, measured, 60)

    np.testing.assert_allclose(found.differences_db, np.linspace(-2, 4, 52), atol=1e-5)
    assert found.mean_difference_db == pytest.approx(1, abs=1e-5)
    assert found.mean_absolute_error_db == pytest.approx(np.abs(np.linspace(-2, 4, 52)).mean())
    own = deviations(estimated, 60).mean_deviation_db - deviations(measured, 60).mean_deviation_db
    assert found.mean_deviation_difference_db == pytest.approx(own, abs=1e-4)
    assert found.baseline_mean_absolute_error_db == pytest.approx(6, abs=1e-5)


def test_without_an_age_there_is_no_norm_to_compare_with() -> None:
    field = np.full(52, 20, np.float32)

    found = compare_fields(field, field, None)

    assert found.mean_absolute_error_db == 0
    assert found.mean_deviation_difference_db is None
    assert found.baseline_mean_absolute_error_db is None

import numpy as np
import pytest

from core.values.prediction import FIELD_POINTS
from inference.figures import (
    coverage,
    coverage_by_severity,
    figures_of,
    location_mae_db,
    severity_shares,
)
from inference.simulation.eyes import SimulatedEyes


def eyes(mean_deviation_db: list[float]) -> SimulatedEyes:
    count = len(mean_deviation_db)
    field = np.full((count, FIELD_POINTS), 20.0, np.float32)
    return SimulatedEyes(
        thickness_um=np.full((count, 768), 90.0, np.float32),
        age_years=np.full(count, 60.0, np.float32),
        true_db=field,
        measured_db=field,
        mean_deviation_db=np.array(mean_deviation_db, np.float32),
        healthy=np.zeros(count, np.bool_),
    )


def test_figures_are_told_apart_by_severity() -> None:
    found = eyes([-1.0, -1.0, -7.0, -20.0])
    fields = found.measured_db + np.array([[1.0], [-2.0], [3.0], [6.0]])

    row = figures_of("shifted", fields, found, "four eyes")

    assert (row.predictor, row.measured_on) == ("shifted", "four eyes")
    assert row.mae_db == pytest.approx(3.0)
    assert row.rmse_db == pytest.approx(np.sqrt(12.5), abs=1e-4)
    assert row.mean_sensitivity_mae_db == pytest.approx(3.0)
    assert row.mean_deviation_mae_db == pytest.approx(3.0, abs=1e-4)
    assert (row.early_mae_db, row.moderate_mae_db, row.advanced_mae_db) == (1.5, 3.0, 6.0)


def test_figures_leave_out_a_severity_no_eye_had() -> None:
    found = eyes([-1.0])

    assert figures_of("same", found.measured_db, found).advanced_mae_db is None
    assert coverage_by_severity(found.measured_db, found.measured_db, found) is None


def test_errors_are_told_apart_by_location() -> None:
    found = eyes([-1.0, -1.0])
    fields = found.measured_db.copy()
    fields[:, 7] += [2.0, -4.0]

    assert location_mae_db(fields, found)[6:9] == (0.0, 3.0, 0.0)


def test_coverage_counts_the_limits_as_inside() -> None:
    lower, upper = np.array([[0.0, 0.0, 0.0, 0.0]]), np.array([[2.0, 2.0, 2.0, 2.0]])

    assert coverage(lower, upper, np.array([[0.0, 2.0, 2.1, -0.1]])) == 0.5


def test_coverage_and_shares_by_severity() -> None:
    found = eyes([-1.0, -7.0, -7.0, -20.0])
    lower = found.measured_db - np.array([[1.0], [1.0], [-1.0], [-1.0]])

    assert coverage_by_severity(lower, found.measured_db + 3, found) == (1.0, 0.5, 0.0)
    assert severity_shares(found) == (0.25, 0.5, 0.25)

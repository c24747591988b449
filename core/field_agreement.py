"""The measured field that lies nearest to an estimate, and how far the two differ."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from sqlmodel import Session

from core.measured_fields import nearest_measured_field
from core.perimetry.agreement import FieldAgreement, compare_fields
from core.tables.measured_fields import MeasuredFieldRow
from core.values.prediction import Prediction


@dataclass(frozen=True)
class Comparison:
    """An estimate beside a measured field of the same eye.

    Attributes
    ----------
    measured
        The field's row; its `measured_at` is known.
    after
        How long after the scan it was measured; negative where before.
    """

    measured: MeasuredFieldRow
    after: timedelta
    agreement: FieldAgreement


def find_comparison(
    session: Session, prediction: Prediction, patient_key: int, months: float
) -> Comparison | None:
    """Return the comparison with the nearest measured field, None where there is none to make.

    Parameters
    ----------
    months
        How far from the scan the test may lie; 0 compares nothing.
    """
    estimate, eye, at = prediction.estimate, prediction.laterality, prediction.acquired_at
    if estimate is None or eye is None or at is None or not months:
        return None
    row = nearest_measured_field(session, patient_key, eye, at, months)
    if row is None or row.sensitivities_db is None or row.measured_at is None:
        return None
    measured_db = np.array(row.sensitivities_db, np.float32)
    agreement = compare_fields(estimate.sensitivities_db, measured_db, prediction.age_years)
    return Comparison(row, row.measured_at - at, agreement)

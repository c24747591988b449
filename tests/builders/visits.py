"""Visits of one eye over years, kept with all they hang on.

keep_visit(session, "v1", datetime(2020, 3, 4, tzinfo=UTC), -2.0)      an estimate with that MD
keep_visits(session, PatientIdentity("P1"), Laterality.RIGHT)          five, a year apart
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from core.perimetry.norms import norm_db
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern, MeasuredField, MeasuredPoint
from core.values.prediction import Prediction
from tests.builders.archive import keep_prediction
from tests.builders.prediction import POINTS_DEGREE, build_prediction

PATIENT = PatientIdentity("P-0001", "Clinic", "Sample^Eye")
#: Mean deviations of five visits, dB.
FIVE_DB = (-2.0, -2.8, -3.1, -4.2, -4.7)


def build_visit(
    name: str, at: datetime, mean_deviation_db: float | None, **changes: Any
) -> Prediction:
    """Return a prediction of a visit of its own; its UIDs are made of the name's bytes."""
    uid = "2.25." + str(int.from_bytes(name.encode(), "big"))
    source = InstanceIdentity(f"{uid}.1", f"{uid}.2", f"{uid}.3", f"ACC-{name}")
    values = {"patient": PATIENT, "source": source, "acquired_at": at, "received_at": at, **changes}
    made = build_prediction(prediction_id=name, **values)
    if made.deviations is None:
        return made
    if mean_deviation_db is None:
        return replace(made, deviations=None, age_years=None)
    deviations = replace(made.deviations, mean_deviation_db=mean_deviation_db)
    return replace(made, deviations=deviations)


def keep_visit(
    session: Session, name: str, at: datetime, mean_deviation_db: float | None, **changes: Any
) -> Prediction:
    """Keep a visit with one result."""
    made = build_visit(name, at, mean_deviation_db, **changes)
    keep_prediction(session, made)
    return made


def keep_visits(
    session: Session,
    patient: PatientIdentity = PATIENT,
    laterality: Laterality = Laterality.RIGHT,
    values_db: Sequence[float] = FIVE_DB,
    **changes: Any,
) -> list[str]:
    """Keep a visit a year from 2019 on; return the ids of the predictions."""
    whose = f"{patient.patient_id}-{patient.issuer}-{laterality}"
    names = [f"{whose}-{number}" for number in range(len(values_db))]
    for number, name in enumerate(names):
        at = datetime(2019 + number, 3, 4, 9, 30, tzinfo=UTC)
        of_eye = {"patient": patient, "laterality": laterality, **changes}
        keep_visit(session, name, at, values_db[number], **of_eye)
    return names


def build_measured_field(
    laterality: Laterality = Laterality.RIGHT, **changes: Any
) -> MeasuredField:
    """Return a complete 24-2 of 2020, all places as healthy people of 60 see them."""
    sign = 1 if laterality is Laterality.RIGHT else -1
    norm = norm_db(60.0)
    points = tuple(
        MeasuredPoint(float(sign * x), float(y), round(float(value), 2))
        for (x, y), value in zip(POINTS_DEGREE, norm, strict=True)
    )
    values: dict[str, Any] = {
        "laterality": laterality,
        "pattern": FieldPattern.P24_2,
        "points": points,
        "measured_at": datetime(2020, 6, 1, 9, tzinfo=UTC),
        "strategy": "SITA Standard",
        "age_years": 60.0,
        **changes,
    }
    return MeasuredField(**values)

"""How an analysis ends: the prediction that is recorded, with a field or with reasons."""

from datetime import datetime
from uuid import uuid4

from core.perimetry.indices import deviations
from core.values.circle_course import CircleCourse
from core.values.prediction import (
    FieldDeviations,
    FieldEstimate,
    ModelIdentity,
    Prediction,
    PredictionStatus,
)
from core.values.reason import Reason
from inference.examination import Examination
from inference.subject import Subject


def conclude(
    subject: Subject,
    examination: Examination,
    model: ModelIdentity,
    now: datetime,
    estimate: FieldEstimate | None,
) -> Prediction:
    """Return the prediction of an examined instance; without an estimate it says why."""
    profile, quality = examination.profile, examination.quality
    return Prediction(
        prediction_id=str(uuid4()),
        status=PredictionStatus.NOT_ASSESSABLE if estimate is None else PredictionStatus.FINAL,
        patient=subject.patient,
        source=subject.source,
        model=model,
        device=examination.device,
        laterality=examination.laterality,
        received_at=subject.received_at,
        predicted_at=now,
        acquired_at=examination.acquired_at,
        age_years=examination.age_years,
        quality_score=quality.score if quality else 0.0,
        reasons=examination.reasons,
        estimate=estimate,
        deviations=deviations_of(examination, estimate),
        thickness_um=profile.thickness_um if profile else None,
        layers=profile.layers if profile else None,
        scan_kind=examination.scan_kind,
        notes=examination.notes,
        course=_course_of(examination),
    )


def _course_of(examination: Examination) -> CircleCourse | None:
    """Return where the columns of the B-scan lie; None without one."""
    profile = examination.profile
    if profile is None or profile.layers is None or profile.circle is None:
        return None
    return CircleCourse.of(profile.circle.angles_degree)


def deviations_of(
    examination: Examination, estimate: FieldEstimate | None
) -> FieldDeviations | None:
    """Return how an estimate differs from the age norm; None without an estimate."""
    if estimate is None or examination.age_years is None:
        return None
    return deviations(estimate.sensitivities_db, examination.age_years)


def failed(subject: Subject, model: ModelIdentity, now: datetime, reason: Reason) -> Prediction:
    """Return the prediction of an instance whose analysis broke in every attempt."""
    return Prediction(
        prediction_id=str(uuid4()),
        status=PredictionStatus.FAILED,
        patient=subject.patient,
        source=subject.source,
        model=model,
        device=subject.device,
        laterality=None,
        received_at=subject.received_at,
        predicted_at=now,
        reasons=(reason,),
    )

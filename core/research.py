"""Results for researchers: the record, read under the pseudonyms of a project."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col

from core.perimetry.indices import deviations
from core.prediction_rows import prediction_of
from core.predictions import select_predictions
from core.pseudonyms import Pseudonyms, capped_age_years, shifted
from core.reviews import last_reviews
from core.tables.predictions import PredictionRow
from core.values.prediction import FieldDeviations, FieldEstimate, Prediction, PredictionStatus
from core.values.research_result import ResearchResult
from core.values.review import Review

#: Results that stand: a failure says nothing of an eye.
STANDING: Final = (PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE)


def read_results(
    session: Session,
    pseudonyms: Pseudonyms,
    after: str,
    limit: int,
    *conditions: ColumnElement[bool],
) -> tuple[list[ResearchResult], str | None]:
    """Return up to `limit` results that stand, and the id to go on after; None at the end.

    Parameters
    ----------
    after
        Id of the prediction to go on after, empty to begin. Their order is that of their random
        ids: by time, a neighbour's known date would tell one's own.
    """
    is_wanted = col(PredictionRow.status).in_(STANDING)
    statement = (
        select_predictions()
        .where(is_wanted, col(PredictionRow.id) > after, *conditions)
        .order_by(col(PredictionRow.id))
        .limit(limit + 1)
    )
    records = session.execute(statement).all()
    predictions = [prediction_of(record) for record in records[:limit]]
    reviews = last_reviews(session, [one.prediction_id for one in predictions])
    results = [
        research_result(one, pseudonyms, reviews.get(one.prediction_id)) for one in predictions
    ]
    return results, predictions[-1].prediction_id if len(records) > limit else None


def research_result(
    prediction: Prediction, pseudonyms: Pseudonyms, review: Review | None = None
) -> ResearchResult:
    """Return a prediction as researchers see it."""
    patient, device = prediction.patient, prediction.device
    age_years = capped_age_years(prediction.age_years)
    day = prediction.acquired_at and prediction.acquired_at.astimezone().date()
    return ResearchResult(
        result=pseudonyms.result(prediction.prediction_id),
        patient=pseudonyms.patient(patient),
        study_instance_uid=pseudonyms.uid(prediction.source.study_instance_uid),
        sop_instance_uid=pseudonyms.uid(prediction.source.sop_instance_uid),
        sex=patient.sex or None,
        age_years=age_years,
        acquired_on=shifted(day, pseudonyms.days_back(patient)) if day else None,
        laterality=prediction.laterality,
        status=prediction.status,
        reasons=tuple(reason.code for reason in prediction.reasons),
        scan_kind=prediction.scan_kind,
        manufacturer=device.manufacturer,
        device_model=device.model,
        model=prediction.model,
        quality_score=prediction.quality_score if prediction.is_judged else None,
        review=review.draft.decision if review else None,
        estimate=prediction.estimate,
        deviations=_deviations(prediction.estimate, age_years),
        thickness_um=prediction.thickness_um,
        notice=prediction.notice,
    )


def _deviations(estimate: FieldEstimate | None, age_years: int | None) -> FieldDeviations | None:
    """Return how a field differs from the norm of the age that is told.

    Those of the true age would tell it: the norm is what lies between them and the field.
    """
    if estimate is None or age_years is None:
        return None
    return deviations(estimate.sensitivities_db, age_years)


def with_model(text: str) -> Sequence[ColumnElement[bool]]:
    """Return the conditions that a result is of model NAME or NAME:VERSION."""
    name, _, version = text.partition(":")
    conditions = [col(PredictionRow.model_name) == name]
    return [*conditions, col(PredictionRow.model_version) == version] if version else conditions

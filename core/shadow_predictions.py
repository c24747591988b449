"""The record of shadow predictions: kept beside the results they are compared with."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.prediction import FieldEstimate, ModelIdentity
from core.values.reason import Reason


@dataclass(frozen=True)
class ShadowPrediction:
    """What a model that only watches made of one scan.

    Attributes
    ----------
    prediction_id
        The active model's result of the same scan.
    reasons
        Why it gave no field; empty where it did.
    mean_deviation_db
        None without a field.
    """

    prediction_id: str
    model: ModelIdentity
    predicted_at: datetime
    reasons: tuple[Reason, ...] = ()
    estimate: FieldEstimate | None = None
    mean_deviation_db: float | None = None


def record_shadow_prediction(session: Session, found: ShadowPrediction) -> None:
    """Record what a shadow model said, once per result and weights; again records nothing."""
    statement = select(ShadowPredictionRow.id).where(
        col(ShadowPredictionRow.prediction_id) == found.prediction_id,
        col(ShadowPredictionRow.model_digest) == found.model.digest,
    )
    if session.exec(statement).first() is not None:
        return
    row = ShadowPredictionRow(
        prediction_id=found.prediction_id,
        model_name=found.model.name,
        model_version=found.model.version,
        model_digest=found.model.digest,
        predicted_at=found.predicted_at,
        reasons=[{"code": reason.code, "message": reason.message} for reason in found.reasons],
        mean_deviation_db=found.mean_deviation_db,
    )
    if found.estimate is not None:
        row.sensitivities_db = _numbers(found.estimate.sensitivities_db)
        row.lower_db = _numbers(found.estimate.lower_db)
        row.upper_db = _numbers(found.estimate.upper_db)
    session.add(row)
    session.flush()


def _numbers(array: NDArray[np.float32]) -> list[float]:
    return [round(float(number), 6) for number in array]

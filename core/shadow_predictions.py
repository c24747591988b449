"""The record of shadow predictions: kept beside the results, and compared with them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from core.tables.predictions import PredictionRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.prediction import FIELD_POINTS, FieldEstimate, ModelIdentity
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


@dataclass(frozen=True)
class ShadowComparison:
    """How far a shadow model's fields lie from the results of the same scans.

    Attributes
    ----------
    eyes
        Scans both models looked at.
    both, only_active, only_shadow
        How many of them got a field from whom.
    mean_difference_db, mean_absolute_difference_db
        Shadow less active, over all points of the eyes with both; None where there is none.
    largest_mean_deviation_difference_db
        The eye they disagree on most, by the absolute difference of the mean deviations.
    """

    eyes: int
    both: int
    only_active: int
    only_shadow: int
    mean_difference_db: float | None = None
    mean_absolute_difference_db: float | None = None
    largest_mean_deviation_difference_db: float | None = None


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


def compare_shadow(session: Session, digest: str) -> ShadowComparison:
    """Return how the shadow predictions of these weights lie to the results beside them."""
    statement = (
        select(ShadowPredictionRow, PredictionRow)
        .join(PredictionRow, col(PredictionRow.id) == col(ShadowPredictionRow.prediction_id))
        .where(col(ShadowPredictionRow.model_digest) == digest)
    )
    pairs = session.exec(statement).all()
    shadow_db, shadow_has = _fields([shadow for shadow, _ in pairs])
    active_db, active_has = _fields([active for _, active in pairs])
    both = shadow_has & active_has
    found = ShadowComparison(
        eyes=len(pairs),
        both=int(both.sum()),
        only_active=int((active_has & ~shadow_has).sum()),
        only_shadow=int((shadow_has & ~active_has).sum()),
    )
    if not both.any():
        return found
    *points, mean_deviation = (shadow_db - active_db)[both].T
    return replace(
        found,
        mean_difference_db=float(np.mean(points)),
        mean_absolute_difference_db=float(np.mean(np.abs(points))),
        largest_mean_deviation_difference_db=float(np.max(np.abs(mean_deviation))),
    )


def _fields(
    rows: Sequence[ShadowPredictionRow | PredictionRow],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the 52 points and the mean deviation of each row, and whether it has them."""
    missing = [math.nan] * FIELD_POINTS
    values = [[*(row.sensitivities_db or missing), _known(row.mean_deviation_db)] for row in rows]
    fields_db = np.array(values, np.float64).reshape(-1, FIELD_POINTS + 1)
    return fields_db, np.all(np.isfinite(fields_db), axis=1)


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _numbers(array: NDArray[np.float32]) -> list[float]:
    return [round(float(number), 6) for number in array]

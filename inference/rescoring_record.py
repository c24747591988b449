"""How scoring again ends in the record: a result beside or above the former, or a comparison."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from core import ledger
from core.ledger import Claim
from core.predictions import record_prediction
from core.rescorings import RESCORE_PRIORITY, RescoringModel
from core.shadow_predictions import ShadowPrediction, record_shadow_prediction
from core.tables.instances import InstanceOutcome
from core.tables.jobs import JobKind
from core.tables.predictions import PredictionRow
from core.values.prediction import FieldEstimate, PredictionStatus
from core.values.reason import ReasonCode
from inference import outcome
from inference.examination import Examination
from inference.prepared_scan import PreparedScan


@dataclass(frozen=True)
class Rescored:
    """What a model made of an instance. `examination` is as the model judged it."""

    claimed: Claim
    prepared: PreparedScan
    examination: Examination
    estimate: FieldEstimate | None


def record_rescored(
    session: Session, model: RescoringModel, found: Rescored, now: datetime
) -> None:
    """Record in the caller's transaction what came out; again by the same model changes nothing."""
    if any(reason.code is ReasonCode.NOT_MODEL_INPUT for reason in found.examination.reasons):
        return
    if model.is_shadow:
        _record_shadow(session, model, found, now)
    else:
        _record_result(session, model, found, now)


def _record_result(session: Session, model: RescoringModel, found: Rescored, now: datetime) -> None:
    prepared = found.prepared
    prediction = outcome.conclude(
        prepared.subject, found.examination, model.identity, now, found.estimate
    )
    prediction = replace(prediction, fundus=prepared.fundus)
    # Before the prediction, which takes the next number of a change: whoever stores the instance
    # again has its row first and then waits for a number.
    prepared.subject.set_outcome(session, InstanceOutcome.PREDICTED)
    session.flush()
    pictures = prepared.pictures
    recorded = record_prediction(
        session,
        prediction,
        prepared.subject.instance_key,
        pictures.scan_key,
        pictures.fundus_key,
    )
    # An answer that stood already got the job of its reports with its own record.
    if recorded == prediction.prediction_id:
        ledger.enqueue(session, JobKind.REPORT, recorded, RESCORE_PRIORITY)


def _record_shadow(session: Session, model: RescoringModel, found: Rescored, now: datetime) -> None:
    beside = _standing(session, model, found.prepared.subject.instance_key)
    if beside is None:
        return
    difference = outcome.deviations_of(found.examination, found.estimate)
    shadow = ShadowPrediction(
        prediction_id=beside,
        model=model.identity,
        predicted_at=now,
        reasons=found.examination.reasons,
        estimate=found.estimate,
        mean_deviation_db=None if difference is None else difference.mean_deviation_db,
    )
    record_shadow_prediction(session, shadow)


def _standing(session: Session, model: RescoringModel, instance_key: int) -> str | None:
    """Return the latest result that another model gave of an instance."""
    statement = (
        select(PredictionRow.id)
        .where(
            col(PredictionRow.instance_key) == instance_key,
            col(PredictionRow.status).in_(
                (PredictionStatus.FINAL, PredictionStatus.NOT_ASSESSABLE)
            ),
            col(PredictionRow.model_digest) != model.identity.digest,
        )
        .order_by(col(PredictionRow.predicted_at).desc(), col(PredictionRow.id))
    )
    return session.exec(statement).first()

from dataclasses import replace

import numpy as np
from sqlmodel import select

from core.database import Database
from core.shadow_predictions import (
    ShadowPrediction,
    record_shadow_prediction,
)
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.identity import InstanceIdentity
from core.values.prediction import FieldEstimate, ModelIdentity, Prediction
from core.values.reason import Reason, ReasonCode
from tests.builders.archive import keep_prediction
from tests.builders.prediction import build_prediction

SHADOW = ModelIdentity("othernet", "2.0.0", "sha256:ff")
REFUSED = Reason(ReasonCode.OUTSIDE_INTENDED_USE, "Not for this eye.")


def kept(database: Database, number: int) -> Prediction:
    source = InstanceIdentity(f"1.2.{number}", f"1.3.{number}", f"1.4.{number}", "")
    prediction = build_prediction(prediction_id=f"p{number}", source=source)
    with database.transaction() as session:
        keep_prediction(session, prediction)
    return prediction


def watched(beside: Prediction, shift_db: float | None) -> ShadowPrediction:
    """What a shadow made of the same scan: the field moved by so much, or none."""
    found = ShadowPrediction(beside.prediction_id, SHADOW, beside.predicted_at, (REFUSED,))
    if shift_db is None:
        return found
    estimate, deviations = beside.estimate, beside.deviations
    assert estimate is not None
    assert deviations is not None
    arrays = (estimate.sensitivities_db, estimate.lower_db, estimate.upper_db)
    return replace(
        found,
        reasons=(),
        estimate=FieldEstimate(*(array + np.float32(shift_db) for array in arrays)),
        mean_deviation_db=deviations.mean_deviation_db + shift_db,
    )


def test_same_scan_is_watched_once_by_the_same_weights(database: Database) -> None:
    prediction = kept(database, 1)
    other = replace(watched(prediction, 1.0), model=replace(SHADOW, digest="sha256:ee"))

    with database.transaction() as session:
        for shadow in (watched(prediction, 1.0), watched(prediction, 2.0), other):
            record_shadow_prediction(session, shadow)

    with database.reading() as session:
        rows = session.exec(select(ShadowPredictionRow)).all()
    assert sorted(row.model_digest for row in rows) == ["sha256:ee", "sha256:ff"]


def test_refusal_of_a_shadow_keeps_its_reason(database: Database) -> None:
    shadow = watched(kept(database, 1), None)
    with database.transaction() as session:
        record_shadow_prediction(session, shadow)

    with database.reading() as session:
        (row,) = session.exec(select(ShadowPredictionRow)).all()
    assert (row.sensitivities_db, row.reasons) == (
        None,
        [{"code": REFUSED.code, "message": REFUSED.message}],
    )

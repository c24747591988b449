"""What a prediction lets a report say: a field, or why there is none."""

from enum import StrEnum

import numpy as np

from core.values.prediction import FieldEstimate, Prediction, PredictionStatus
from core.values.reason import ReasonCode
from reports.errors import PredictionInconsistent

#: Sensitivities an estimate may have, in dB.
_RANGE_DB = (0.0, 40.0)


class Outcome(StrEnum):
    """What there is to report, whether or not a later prediction has replaced it since."""

    ESTIMATED = "estimated"
    NOT_ASSESSABLE = "not assessable"
    FAILED = "failed"


def outcome_of(prediction: Prediction) -> Outcome:
    """Return what there is to report.

    Raises
    ------
    PredictionInconsistent
        If a field would have to be reported that is incomplete, impossible or of an unknown eye.
    """
    if _has_field(prediction):
        _check_field(prediction)
        return Outcome.ESTIMATED
    if prediction.status is PredictionStatus.FINAL or not prediction.reasons:
        raise PredictionInconsistent(
            "The prediction has neither an estimate nor a reason why not; score the scan again"
        )
    if ReasonCode.PROCESSING_FAILED in {reason.code for reason in prediction.reasons}:
        return Outcome.FAILED
    return Outcome.NOT_ASSESSABLE


def _has_field(prediction: Prediction) -> bool:
    # A superseded prediction says what it said before: its report keeps its UID and its bytes.
    could_have = prediction.status in {PredictionStatus.FINAL, PredictionStatus.SUPERSEDED}
    return could_have and not prediction.reasons and prediction.estimate is not None


def _check_field(prediction: Prediction) -> None:
    if prediction.laterality is None:
        raise PredictionInconsistent("The prediction has a field but no eye; score the scan again")
    if prediction.estimate is None or prediction.deviations is None:
        raise PredictionInconsistent("The prediction has a field but no deviations")
    numbers = (
        prediction.deviations.total_deviation_db,
        prediction.deviations.pattern_deviation_db,
        prediction.deviations.mean_deviation_db,
        prediction.deviations.mean_sensitivity_db,
    )
    if not all(np.all(np.isfinite(values)) for values in numbers):
        raise PredictionInconsistent("A deviation of the prediction is not a number")
    _check_estimate(prediction.estimate)


def _check_estimate(estimate: FieldEstimate) -> None:
    values, lower, upper = estimate.sensitivities_db, estimate.lower_db, estimate.upper_db
    least, most = _RANGE_DB
    # Written so that NaN, which compares as false with everything, fails too.
    if not (np.all(values >= least) and np.all(values <= most)):
        raise PredictionInconsistent(
            f"A sensitivity of the prediction is outside {least:g} to {most:g} dB"
        )
    if not (np.all(lower <= values) and np.all(values <= upper)):
        raise PredictionInconsistent("A sensitivity of the prediction is outside its own interval")

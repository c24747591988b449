"""Why there is no field, as coded findings with the sentence for people below each."""

from highdicom.sr import (
    ContentSequence,
    QualitativeEvaluation,
    RelationshipTypeValues,
    TextContentItem,
)

from core.values.prediction import Prediction
from core.values.reason import Reason
from reports import codes


def reason_evaluations(prediction: Prediction) -> list[QualitativeEvaluation]:
    """Return one evaluation a reason, and one for an eye that could not be determined."""
    evaluations = [_evaluation(reason) for reason in prediction.reasons]
    if prediction.laterality is None:
        evaluations.append(QualitativeEvaluation(codes.EYE, codes.EYE_UNKNOWN))
    return evaluations


def _evaluation(reason: Reason) -> QualitativeEvaluation:
    evaluation = QualitativeEvaluation(codes.REASON, codes.REASON_CODES[reason.code])
    message = TextContentItem(
        name=codes.COMMENT,
        value=reason.message,
        relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
    )
    evaluation[0].ContentSequence = ContentSequence([message])
    return evaluation

"""Why there is no field, as coded findings with the sentence for people below each."""

from highdicom.sr import (
    ContentSequence,
    QualitativeEvaluation,
    RelationshipTypeValues,
    TextContentItem,
)

from core.values.prediction import Prediction
from core.values.reason import Reason
from core.values.review import Review
from reports import codes, review_codes
from reports.review_words import decided_words, verdict_words


def reason_evaluations(prediction: Prediction) -> list[QualitativeEvaluation]:
    """Return one evaluation a reason, and one for an eye that could not be determined."""
    evaluations = [_evaluation(reason) for reason in prediction.reasons]
    if prediction.laterality is None:
        evaluations.append(QualitativeEvaluation(codes.EYE, codes.EYE_UNKNOWN))
    return evaluations


def decision_evaluations(withheld: Review | None) -> list[QualitativeEvaluation]:
    """Return the evaluation that says who decided that the numbers must not be used, if so."""
    if withheld is None:
        return []
    decision = review_codes.DECISIONS[withheld.draft.decision]
    told = f"{verdict_words(withheld)}, {decided_words(withheld)}"
    return [_with_sentence(QualitativeEvaluation(review_codes.REVIEW_DECISION, decision), told)]


def _evaluation(reason: Reason) -> QualitativeEvaluation:
    evaluation = QualitativeEvaluation(codes.REASON, codes.REASON_CODES[reason.code])
    return _with_sentence(evaluation, reason.message)


def _with_sentence(evaluation: QualitativeEvaluation, sentence: str) -> QualitativeEvaluation:
    message = TextContentItem(
        name=codes.COMMENT,
        value=sentence,
        relationship_type=RelationshipTypeValues.HAS_PROPERTIES,
    )
    evaluation[0].ContentSequence = ContentSequence([message])
    return evaluation

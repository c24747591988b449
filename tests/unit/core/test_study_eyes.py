"""Which result of an eye counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from core.study_eyes import DISAGREEMENT_DB, EyeResult, tell_eyes
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.scan import ScanKind

_TAKEN = datetime(2026, 3, 4, 9, tzinfo=UTC)
_RESULT = EyeResult(
    prediction_id="a",
    sop_instance_uid="1.2",
    status=PredictionStatus.FINAL,
    laterality=Laterality.RIGHT,
    mean_deviation_db=-3.0,
    quality_score=0.9,
    acquired_at=_TAKEN,
    predicted_at=_TAKEN + timedelta(minutes=1),
    scan_kind=ScanKind.CIRCLE,
    model="retinervenet 2.1.0",
    reasons=(),
)


def _current_of(*results: EyeResult) -> str | None:
    """The id of the right eye's result that counts, whatever the order they come in."""
    found = {
        eye.current.prediction_id if eye.current else None
        for order in permutations(results)
        for eye in tell_eyes(order)
        if eye.laterality is Laterality.RIGHT
    }
    (current,) = found
    return current


def test_the_one_taken_last_counts() -> None:
    later = replace(
        _RESULT, prediction_id="b", acquired_at=_TAKEN + timedelta(minutes=5), quality_score=0.5
    )
    without_time = replace(_RESULT, prediction_id="c", acquired_at=None, quality_score=1.0)

    assert _current_of(_RESULT, later, without_time) == "b"


def test_of_two_taken_at_once_the_better_one_counts() -> None:
    assert _current_of(_RESULT, replace(_RESULT, prediction_id="b", quality_score=0.95)) == "b"


def test_of_two_models_on_one_scan_the_later_answer_counts() -> None:
    later = replace(_RESULT, prediction_id="0", predicted_at=_TAKEN + timedelta(days=1))

    assert _current_of(_RESULT, later) == "0"


def test_an_estimate_counts_before_a_later_refusal() -> None:
    refused = replace(
        _RESULT,
        prediction_id="b",
        status=PredictionStatus.NOT_ASSESSABLE,
        acquired_at=_TAKEN + timedelta(minutes=5),
    )
    broken = replace(refused, prediction_id="c", status=PredictionStatus.FAILED)

    assert _current_of(_RESULT, refused, broken) == "a"
    assert _current_of(refused, broken) == "b"


def test_oct_counts_before_a_later_photograph() -> None:
    photograph = replace(
        _RESULT,
        prediction_id="b",
        scan_kind=ScanKind.FUNDUS,
        acquired_at=_TAKEN + timedelta(minutes=5),
    )

    assert _current_of(_RESULT, photograph) == "a"


def test_eyes_are_told_apart_and_one_without_results_is_there() -> None:
    right, left = tell_eyes([_RESULT])

    assert (right.laterality, right.status, len(right.results)) == ("R", "final", 1)
    assert (left.laterality, left.status, left.current, left.results) == ("L", None, None, ())


def test_results_of_an_unknown_eye_stand_beside_both() -> None:
    unknown = replace(_RESULT, laterality=None, status=PredictionStatus.NOT_ASSESSABLE)

    right, left, neither = tell_eyes([unknown])

    assert (right.results, left.results) == ((), ())
    assert (neither.laterality, neither.results) == (None, (unknown,))


def test_disagreement_is_of_one_eye_and_shown() -> None:
    far = replace(_RESULT, prediction_id="b", mean_deviation_db=-3.0 - DISAGREEMENT_DB - 0.1)
    other_eye = replace(_RESULT, prediction_id="c", laterality=Laterality.LEFT)

    right, left = tell_eyes([_RESULT, far, other_eye])

    assert (right.disagree, right.mean_deviation_range_db) == (True, 2.1)
    assert (left.disagree, left.mean_deviation_range_db) == (False, None)
    assert {result.prediction_id for result in right.results} == {"a", "b"}


def test_results_as_far_apart_as_allowed_agree() -> None:
    near = replace(_RESULT, prediction_id="b", mean_deviation_db=-3.0 - DISAGREEMENT_DB)

    assert not tell_eyes([_RESULT, near])[0].disagree

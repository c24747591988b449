"""Both eyes of a study for tests, with the headers of their scans."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.values.both_eyes import BothEyes, EyeOfStudy
from core.values.laterality import Laterality
from core.values.prediction import Prediction
from core.values.review import Amendment, ReviewDecision
from reports.both_eyes_format import EyeSources
from tests.builders.prediction import Loss, build_prediction
from tests.builders.review import build_review
from tests.builders.source import build_source

REJECTED = build_review(ReviewDecision.REJECT, comment="Drusen.")
NOT_ASSESSABLE = build_review(ReviewDecision.AMEND, amendment=Amendment(assessable=False))
SETTLED_AT = datetime(2026, 3, 4, 10, tzinfo=UTC)


def build_left(**changes: Any) -> Prediction:
    """Return a prediction of the left eye of the study of the right one."""
    left = build_prediction(
        **{"laterality": Laterality.LEFT, "loss": Loss.ARCUATE, "prediction_id": "left", **changes}
    )
    return replace(left, source=replace(left.source, sop_instance_uid="2.25.203"))


def build_both_eyes(
    right: Prediction | None = None, left: Prediction | None = None, **changes: Any
) -> BothEyes:
    """Return a healthy right and a damaged left eye; `changes` replaces any field."""
    both = BothEyes(
        study_instance_uid="2.25.101",
        version=1,
        settled_at=SETTLED_AT,
        right=EyeOfStudy(right or build_prediction(prediction_id="right")),
        left=EyeOfStudy(left or build_left()),
    )
    return replace(both, **changes)


def sources_of(both: BothEyes) -> EyeSources:
    """Return the header of the scan of each eye."""
    return {
        Laterality.RIGHT: [build_source(both.right.prediction)],
        Laterality.LEFT: [build_source(both.left.prediction)],
    }


def withholding(both: BothEyes, *, right: bool = False, left: bool = False) -> BothEyes:
    """Return both eyes, the right one amended to not assessable, the left one rejected."""
    return replace(
        both,
        right=replace(both.right, withheld=NOT_ASSESSABLE if right else None),
        left=replace(both.left, withheld=REJECTED if left else None),
    )

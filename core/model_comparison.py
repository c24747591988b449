"""How the fields of two models lie to each other, over the scans that both looked at."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Subquery, union_all
from sqlmodel import Session, col, select

from core.perimetry.limits_of_agreement import limits_of_agreement
from core.tables.predictions import PredictionRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.prediction import FIELD_POINTS, PredictionStatus

#: Scans that are looked at, the newest: enough for any figure here.
MOST_SCANS: Final = 10_000
#: What was superseded was made of a scan whose content is another now, or is a failure overcome.
_STANDING: Final = col(PredictionRow.status) != PredictionStatus.SUPERSEDED


@dataclass(frozen=True)
class ModelComparison:
    """One model beside another; differences are the first less the second.

    Attributes
    ----------
    eyes
        How many scans both looked at, whether the result was a patient's or only watched.
    both, only_first, only_second
        How many of them got a field from whom.
    mean_difference_db, mean_absolute_difference_db
        Over all points of the scans with both; None where there is none.
    mean_deviation_bias_db, mean_deviation_lower_db, mean_deviation_upper_db
        Mean difference of the mean deviations and its limits of agreement; these are None with
        fewer than ten pairs.
    largest_mean_deviation_difference_db
        The scan they disagree on most.
    """

    eyes: int
    both: int
    only_first: int
    only_second: int
    mean_difference_db: float | None = None
    mean_absolute_difference_db: float | None = None
    mean_deviation_bias_db: float | None = None
    mean_deviation_lower_db: float | None = None
    mean_deviation_upper_db: float | None = None
    largest_mean_deviation_difference_db: float | None = None


def compare_models(session: Session, first: str, second: str) -> ModelComparison:
    """Return how the weights of these two digests lie to each other."""
    pairs = _pairs(session, first, second)
    first_has = [_has(pair.first_db) for pair in pairs]
    second_has = [_has(pair.second_db) for pair in pairs]
    both = [
        pair for pair, one, other in zip(pairs, first_has, second_has, strict=True) if one and other
    ]
    found = ModelComparison(
        eyes=len(pairs),
        both=len(both),
        only_first=sum(first_has) - len(both),
        only_second=sum(second_has) - len(both),
    )
    return _with_figures(found, both) if both else found


def _with_figures(found: ModelComparison, both: list[Any]) -> ModelComparison:
    differences = [np.subtract(pair.first_db, pair.second_db) for pair in both]
    deviations = [
        (float(pair.first_md_db), float(pair.second_md_db))
        for pair in both
        if pair.first_md_db is not None and pair.second_md_db is not None
    ]
    found = replace(
        found,
        mean_difference_db=float(np.mean(differences)),
        mean_absolute_difference_db=float(np.mean(np.abs(differences))),
    )
    limits = limits_of_agreement([one for one, _ in deviations], [other for _, other in deviations])
    if limits is None:
        return found
    return replace(
        found,
        mean_deviation_bias_db=limits.bias,
        mean_deviation_lower_db=limits.lower,
        mean_deviation_upper_db=limits.upper,
        largest_mean_deviation_difference_db=max(abs(one - other) for one, other in deviations),
    )


def _pairs(session: Session, first: str, second: str) -> list[Any]:
    """Return what both made of each scan, newest first; of one scored twice, the newest."""
    one, other = _looked_at(first), _looked_at(second)
    statement = (
        select(one.c.instance_key)
        .add_columns(
            one.c.sensitivities_db.label("first_db"),
            other.c.sensitivities_db.label("second_db"),
            one.c.mean_deviation_db.label("first_md_db"),
            other.c.mean_deviation_db.label("second_md_db"),
        )
        .join(other, one.c.instance_key == other.c.instance_key)
        .order_by(one.c.instance_key.desc(), one.c.predicted_at.desc(), other.c.predicted_at.desc())
        .limit(MOST_SCANS)
    )
    newest: dict[int, Any] = {}
    for row in session.execute(statement).all():
        newest.setdefault(row.instance_key, row)
    return list(newest.values())


def _looked_at(digest: str) -> Subquery:
    """Return what a model made of scans as they are now, as a result of them or beside one."""
    as_result = select(
        col(PredictionRow.instance_key),
        col(PredictionRow.sensitivities_db),
        col(PredictionRow.mean_deviation_db),
        col(PredictionRow.predicted_at),
    ).where(_STANDING, col(PredictionRow.model_digest) == digest)
    beside = (
        select(
            col(PredictionRow.instance_key),
            col(ShadowPredictionRow.sensitivities_db),
            col(ShadowPredictionRow.mean_deviation_db),
            col(ShadowPredictionRow.predicted_at),
        )
        .join(PredictionRow, col(PredictionRow.id) == col(ShadowPredictionRow.prediction_id))
        .where(_STANDING, col(ShadowPredictionRow.model_digest) == digest)
    )
    return union_all(as_result, beside).subquery()


def _has(field_db: list[float | None] | None) -> bool:
    return field_db is not None and len(field_db) == FIELD_POINTS and None not in field_db

"""How the newest fields of a shadow model lie to the results of the same scans.

For pages: of a bounded number of scans, so that looking costs the same on any node.
`core.model_comparison` looks at more, for any two models.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlmodel import Session, col, select

from core.perimetry.limits_of_agreement import LimitsOfAgreement, limits_of_agreement
from core.tables.predictions import PredictionRow
from core.tables.shadow_predictions import ShadowPredictionRow
from core.values.prediction import FIELD_POINTS, ModelIdentity

#: Scans that are looked at, the newest.
MOST_SCANS: Final = 1000


@dataclass(frozen=True)
class ShadowAgreement:
    """A shadow model beside one model that gave results; differences are shadow less result.

    Attributes
    ----------
    scans
        How many both looked at.
    both, only_result, only_shadow
        How many of them got a field from whom.
    mean_absolute_error_db, mean_difference_db
        Over all 52 points of the scans with both; None without any.
    mean_deviation
        Limits of agreement of the mean deviations, dB; None without a pair.
    pairs_db
        Mean deviations of each such pair: of the result, of the shadow.
    """

    result_model: ModelIdentity
    scans: int
    both: int
    only_result: int
    only_shadow: int
    mean_absolute_error_db: float | None
    mean_difference_db: float | None
    mean_deviation: LimitsOfAgreement | None
    pairs_db: tuple[tuple[float, float], ...]


def read_agreement(session: Session, digest: str) -> list[ShadowAgreement]:
    """Return how the shadow predictions of these weights lie to each model that gave results."""
    statement = (
        select(
            PredictionRow.model_name,
            PredictionRow.model_version,
            PredictionRow.model_digest,
            col(PredictionRow.sensitivities_db).label("result_db"),
        )
        .add_columns(
            col(ShadowPredictionRow.sensitivities_db).label("shadow_db"),
            col(PredictionRow.mean_deviation_db).label("result_md_db"),
            col(ShadowPredictionRow.mean_deviation_db).label("shadow_md_db"),
        )
        .join(PredictionRow, col(PredictionRow.id) == col(ShadowPredictionRow.prediction_id))
        .where(col(ShadowPredictionRow.model_digest) == digest)
        .order_by(col(ShadowPredictionRow.id).desc())
        .limit(MOST_SCANS)
    )
    by_model: dict[ModelIdentity, list[Any]] = defaultdict(list)
    for row in session.execute(statement).all():
        by_model[ModelIdentity(row.model_name, row.model_version, row.model_digest)].append(row)
    return [_agreement_of(model, rows) for model, rows in by_model.items()]


def _agreement_of(model: ModelIdentity, rows: Sequence[Any]) -> ShadowAgreement:
    both = [row for row in rows if _has(row.result_db) and _has(row.shadow_db)]
    differences = [np.subtract(row.shadow_db, row.result_db) for row in both]
    pairs = [
        (float(row.result_md_db), float(row.shadow_md_db))
        for row in both
        if row.result_md_db is not None and row.shadow_md_db is not None
    ]
    return ShadowAgreement(
        result_model=model,
        scans=len(rows),
        both=len(both),
        only_result=sum(_has(row.result_db) and not _has(row.shadow_db) for row in rows),
        only_shadow=sum(_has(row.shadow_db) and not _has(row.result_db) for row in rows),
        mean_absolute_error_db=float(np.mean(np.abs(differences))) if both else None,
        mean_difference_db=float(np.mean(differences)) if both else None,
        mean_deviation=limits_of_agreement([s for _, s in pairs], [r for r, _ in pairs]),
        pairs_db=tuple(pairs),
    )


def _has(field_db: Sequence[float | None] | None) -> bool:
    return field_db is not None and len(field_db) == FIELD_POINTS and None not in field_db

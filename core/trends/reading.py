"""Reads the results of one eye, and the fields measured of it, for its trend."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlmodel import Session, col, select

from core.eye_selection import of_eye
from core.perimetry.indices import deviations
from core.reviews import last_reviews
from core.tables.columns import key_of
from core.tables.measured_fields import MeasuredFieldRow
from core.tables.predictions import PredictionRow
from core.tables.studies import StudyRow
from core.trends.result import SECTORS, Index, MeasuredVisit, Place, TrendResult
from core.trends.telling import EyeTrend, tell_trend
from core.values.laterality import Laterality
from core.values.prediction import FIELD_POINTS, ModelIdentity, PredictionStatus
from core.values.profile import PROFILE_SAMPLES, sector_means
from core.values.review import Review
from core.values.scan import Device, ScanKind

#: Results of one eye that are read, the newest: more than anybody is scanned in a life.
MOST_RESULTS: Final = 400
_PLACES: Final = {
    PredictionStatus.NOT_ASSESSABLE: Place.NOT_ASSESSABLE,
    PredictionStatus.FAILED: Place.FAILED,
}
#: What a trend needs of a prediction; the other arrays of its row are long.
_COLUMNS: Final[tuple[Any, ...]] = (
    PredictionRow.id,
    PredictionRow.status,
    PredictionRow.acquired_at,
    PredictionRow.predicted_at,
    PredictionRow.model_name,
    PredictionRow.model_version,
    PredictionRow.model_digest,
    PredictionRow.manufacturer,
    PredictionRow.manufacturer_model_name,
    PredictionRow.device_serial_number,
    PredictionRow.scan_kind,
    PredictionRow.quality_score,
    PredictionRow.mean_deviation_db,
    PredictionRow.thickness_um,
    PredictionRow.reasons,
)


def read_trend(session: Session, patient_key: int, laterality: Laterality) -> EyeTrend:
    """Return the trend of one eye of a patient; results that were replaced are not in it."""
    rows = session.execute(_statement(patient_key, laterality).limit(MOST_RESULTS + 1)).all()
    shown = rows[:MOST_RESULTS]
    reviews = last_reviews(session, [row.id for row in shown])
    return tell_trend(
        laterality,
        [_result_of(row, reviews.get(row.id)) for row in shown],
        _measured(session, patient_key, laterality),
        is_cut=len(rows) > len(shown),
    )


def read_without_eye(session: Session, patient_key: int) -> list[TrendResult]:
    """Return the results of a patient that could be given to neither eye, the newest first."""
    statement = _statement(patient_key, None).limit(MOST_RESULTS)
    return [_result_of(row, None) for row in session.execute(statement).all()]


def _statement(patient_key: int, laterality: Laterality | None) -> Any:
    return (
        of_eye(select(*_COLUMNS), patient_key, laterality)
        .where(col(PredictionRow.status) != PredictionStatus.SUPERSEDED)
        .order_by(col(StudyRow.received_at).desc(), col(PredictionRow.id))
    )


def _result_of(row: Any, review: Review | None) -> TrendResult:
    return TrendResult(
        prediction_id=row.id,
        place=_place(PredictionStatus(row.status), review),
        acquired_at=row.acquired_at,
        predicted_at=row.predicted_at,
        model=ModelIdentity(row.model_name, row.model_version, row.model_digest),
        device=Device(row.manufacturer, row.manufacturer_model_name, row.device_serial_number),
        scan_kind=ScanKind(row.scan_kind) if row.scan_kind else None,
        quality_score=row.quality_score,
        mean_deviation_db=row.mean_deviation_db,
        rnfl_um=_thickness(row.thickness_um),
        reasons=tuple(reason["code"] for reason in row.reasons),
    )


def _place(status: PredictionStatus, review: Review | None) -> Place:
    if review is not None and review.withholds_numbers:
        return Place.WITHHELD
    if status in _PLACES:
        return _PLACES[status]
    is_amended = review is not None and review.draft.amendment.mean_deviation_db is not None
    return Place.AMENDED if is_amended else Place.COUNTED


def _thickness(profile: Sequence[float | None] | None) -> Mapping[Index, float]:
    if profile is None or len(profile) != PROFILE_SAMPLES or None in profile:
        return {}
    thickness_um = np.array(profile, np.float32)
    means = sector_means(thickness_um)
    sectors = {index: means[index.value] for index in SECTORS}
    return {Index.RNFL_MEAN: float(np.mean(thickness_um)), **sectors}


def _measured(
    session: Session, patient_key: int, laterality: Laterality
) -> Sequence[MeasuredVisit]:
    statement = select(MeasuredFieldRow).where(
        col(MeasuredFieldRow.patient_key) == patient_key,
        col(MeasuredFieldRow.laterality) == laterality,
    )
    newest = statement.order_by(col(MeasuredFieldRow.measured_at).desc()).limit(MOST_RESULTS)
    return [_visit_of(row) for row in session.exec(newest).all()]


def _visit_of(row: MeasuredFieldRow) -> MeasuredVisit:
    return MeasuredVisit(
        measured_field_id=key_of(row),
        measured_at=row.measured_at,
        pattern=row.pattern,
        strategy=row.strategy,
        mean_deviation_db=_mean_deviation_db(row),
        device_mean_deviation_db=row.mean_deviation_db,
    )


def _mean_deviation_db(row: MeasuredFieldRow) -> float | None:
    field = row.sensitivities_db
    if field is None or len(field) != FIELD_POINTS or None in field or row.age_years is None:
        return None
    return deviations(np.array(field, np.float64), row.age_years).mean_deviation_db

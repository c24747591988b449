"""The record of predictions: a value in, a value out; rows stay in here."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, Select, select
from sqlmodel import Session, col

from core.changes import append_change
from core.errors import RecordNotFound
from core.tables.changes import ChangeKind
from core.tables.instances import InstanceRow
from core.tables.patients import PatientRow
from core.tables.predictions import PredictionRow
from core.tables.series import SeriesRow
from core.tables.studies import StudyRow
from core.values.circle_course import CircleCourse
from core.values.fundus_place import FundusPlace, FundusSource
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import (
    FieldDeviations,
    FieldEstimate,
    ModelIdentity,
    Prediction,
    PredictionStatus,
)
from core.values.profile import Layers
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device, ScanKind

#: A prediction's row with all it belongs to.
PredictionRecord = Row[PredictionRow, InstanceRow, SeriesRow, StudyRow, PatientRow]

_STANDING: Final = col(PredictionRow.status) != PredictionStatus.SUPERSEDED
_WITHOUT_SUCCESSOR: Final = col(PredictionRow.superseded_by).is_(None)


def select_predictions() -> Select[PredictionRow, InstanceRow, SeriesRow, StudyRow, PatientRow]:
    """Return the statement that joins a prediction with instance, series, study and patient."""
    return (
        select(PredictionRow, InstanceRow, SeriesRow, StudyRow, PatientRow)
        .join(InstanceRow, col(InstanceRow.id) == col(PredictionRow.instance_key))
        .join(SeriesRow, col(SeriesRow.id) == col(InstanceRow.series_key))
        .join(StudyRow, col(StudyRow.id) == col(SeriesRow.study_key))
        .join(PatientRow, col(PatientRow.id) == col(StudyRow.patient_key))
    )


def load_prediction(session: Session, prediction_id: str) -> Prediction:
    """Return one prediction.

    Raises
    ------
    RecordNotFound
        If there is none with that identifier.
    """
    statement = select_predictions().where(col(PredictionRow.id) == prediction_id)
    record = session.execute(statement).one_or_none()
    if record is None:
        raise RecordNotFound("There is no prediction with that id")
    return prediction_of(record)


def load_patient(session: Session, prediction_id: str) -> PatientRow:
    """Return whose a prediction is today.

    Raises
    ------
    RecordNotFound
        If there is no such prediction.
    """
    statement = select_predictions().where(col(PredictionRow.id) == prediction_id)
    record = session.execute(statement).one_or_none()
    if record is None:
        raise RecordNotFound("There is no prediction with that id")
    patient: PatientRow = record[4]
    return patient


def picture_key(session: Session, prediction_id: str) -> str | None:
    """Return where the picture of a prediction's scan is kept, None where there is none."""
    row = session.get(PredictionRow, prediction_id)
    return None if row is None else row.preview_key


def prediction_of(record: PredictionRecord) -> Prediction:
    """Return the value that a joined row holds."""
    row, instance, series, study, patient = record
    return Prediction(
        prediction_id=row.id,
        status=PredictionStatus(row.status),
        patient=_patient_of(patient),
        source=InstanceIdentity(
            study.study_instance_uid,
            series.series_instance_uid,
            instance.sop_instance_uid,
            study.accession_number,
        ),
        model=ModelIdentity(row.model_name, row.model_version, row.model_digest),
        device=Device(row.manufacturer, row.manufacturer_model_name, row.device_serial_number),
        laterality=Laterality(row.laterality) if row.laterality else None,
        received_at=instance.received_at,
        predicted_at=row.predicted_at,
        acquired_at=row.acquired_at,
        age_years=row.age_years,
        quality_score=row.quality_score,
        reasons=tuple(Reason(ReasonCode(r["code"]), r["message"]) for r in row.reasons),
        estimate=_estimate_of(row),
        deviations=_deviations_of(row),
        thickness_um=None if row.thickness_um is None else _array(row.thickness_um),
        layers=_layers_of(row.layers),
        scan_kind=ScanKind(row.scan_kind) if row.scan_kind else None,
        notes=tuple(row.notes),
        fundus=_fundus_of(row.fundus),
        course=None if row.circle_course is None else CircleCourse(**row.circle_course),
    )


def record_prediction(
    session: Session,
    prediction: Prediction,
    instance_key: int,
    preview_key: str | None,
    fundus_key: str | None = None,
) -> str:
    """Record a prediction in the caller's transaction and return the id it is kept under.

    The keys are those of the pictures that are kept of its scan and of the fundus.

    Scoring the same instance with the same weights again returns the first one's id and records
    nothing, so that a repeated job has one effect. Only a failure is no answer: one that is there
    when its job was retried with success, or by another model, is superseded.
    """
    standing = _rows_of(session, instance_key, _STANDING)
    overcome = [row for row in standing if _is_overcome(row, prediction)]
    for row in standing:
        if row.model_digest == prediction.model.digest and row not in overcome:
            return row.id
    for row in overcome:
        row.status = PredictionStatus.SUPERSEDED
    # Written before the answer, of which there may be one per instance and weights.
    session.flush()
    row = _row_of(prediction, instance_key, preview_key)
    row.fundus_key = fundus_key
    session.add(row)
    session.flush()
    for row in _rows_of(session, instance_key, ~_STANDING, _WITHOUT_SUCCESSOR):
        row.superseded_by = prediction.prediction_id
    append_change(session, ChangeKind.PREDICTION_RECORDED, prediction.prediction_id)
    return prediction.prediction_id


def supersede_predictions(session: Session, instance_key: int) -> list[str]:
    """Let no prediction of an instance stand, as its scan is another now; return their ids.

    The prediction that is recorded next is named as the one that replaces them.
    """
    rows = _rows_of(session, instance_key, _STANDING)
    for row in rows:
        row.status = PredictionStatus.SUPERSEDED
    return [row.id for row in rows]


def _rows_of(
    session: Session, instance_key: int, *conditions: ColumnElement[bool]
) -> Sequence[PredictionRow]:
    of_instance = col(PredictionRow.instance_key) == instance_key
    return session.execute(select(PredictionRow).where(of_instance, *conditions)).scalars().all()


def _is_overcome(recorded: PredictionRow, later: Prediction) -> bool:
    failed = PredictionStatus.FAILED
    is_same_failure = later.status is failed and recorded.model_digest == later.model.digest
    return recorded.status == failed and not is_same_failure


def _row_of(prediction: Prediction, instance_key: int, preview_key: str | None) -> PredictionRow:
    row = PredictionRow(
        id=prediction.prediction_id,
        instance_key=instance_key,
        status=prediction.status,
        laterality=prediction.laterality,
        model_name=prediction.model.name,
        model_version=prediction.model.version,
        model_digest=prediction.model.digest,
        manufacturer=prediction.device.manufacturer,
        manufacturer_model_name=prediction.device.model,
        device_serial_number=prediction.device.serial_number,
        age_years=prediction.age_years,
        acquired_at=_in_utc(prediction.acquired_at),
        predicted_at=prediction.predicted_at,
        quality_score=prediction.quality_score,
        reasons=[{"code": r.code, "message": r.message} for r in prediction.reasons],
        thickness_um=_numbers(prediction.thickness_um),
        rnfl_mean_um=_mean(prediction.thickness_um),
        preview_key=preview_key,
        scan_kind=prediction.scan_kind,
        notes=list(prediction.notes),
    )
    _fill_estimate(row, prediction.estimate)
    _fill_deviations(row, prediction.deviations)
    if prediction.layers is not None:
        row.layers = {
            "ilm_row": _numbers(prediction.layers.ilm_row),
            "rnfl_row": _numbers(prediction.layers.rnfl_row),
        }
    row.fundus = None if prediction.fundus is None else asdict(prediction.fundus)
    row.circle_course = None if prediction.course is None else asdict(prediction.course)
    return row


def _fill_estimate(row: PredictionRow, estimate: FieldEstimate | None) -> None:
    if estimate is not None:
        row.sensitivities_db = _numbers(estimate.sensitivities_db)
        row.lower_db = _numbers(estimate.lower_db)
        row.upper_db = _numbers(estimate.upper_db)


def _fill_deviations(row: PredictionRow, deviations: FieldDeviations | None) -> None:
    if deviations is not None:
        row.total_deviation_db = _numbers(deviations.total_deviation_db)
        row.pattern_deviation_db = _numbers(deviations.pattern_deviation_db)
        row.mean_sensitivity_db = deviations.mean_sensitivity_db
        row.mean_deviation_db = deviations.mean_deviation_db
        row.pattern_standard_deviation_db = deviations.pattern_standard_deviation_db


def _patient_of(row: PatientRow) -> PatientIdentity:
    return PatientIdentity(row.patient_id, row.issuer or None, row.name, row.birth_date, row.sex)


def _estimate_of(row: PredictionRow) -> FieldEstimate | None:
    if row.sensitivities_db is None or row.lower_db is None or row.upper_db is None:
        return None
    return FieldEstimate(_array(row.sensitivities_db), _array(row.lower_db), _array(row.upper_db))


def _deviations_of(row: PredictionRow) -> FieldDeviations | None:
    if row.total_deviation_db is None or row.pattern_deviation_db is None:
        return None
    return FieldDeviations(
        _array(row.total_deviation_db),
        _array(row.pattern_deviation_db),
        _known(row.mean_sensitivity_db),
        _known(row.mean_deviation_db),
        _known(row.pattern_standard_deviation_db),
    )


def _layers_of(layers: dict[str, Any] | None) -> Layers | None:
    return None if layers is None else Layers(_array(layers["ilm_row"]), _array(layers["rnfl_row"]))


def _fundus_of(place: dict[str, Any] | None) -> FundusPlace | None:
    if place is None:
        return None
    return FundusPlace(**{**place, "source": FundusSource(place["source"])})


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _array(numbers: Sequence[float | None]) -> NDArray[np.float32]:
    return np.array([_known(number) for number in numbers], np.float32)


def _numbers(array: NDArray[np.float32] | None) -> list[float] | None:
    # JSON has no NaN: a missing value is null. Six digits are far below any unit's meaning.
    if array is None:
        return None
    return [None if math.isnan(x) else round(float(x), 6) for x in array]  # type: ignore[misc]


def _mean(array: NDArray[np.float32] | None) -> float | None:
    if array is None or not np.all(np.isfinite(array)):
        return None
    return round(float(np.mean(array)), 6)


def _in_utc(moment: datetime | None) -> datetime | None:
    # A device that names no zone means this clinic's time, which is the node's own.
    return None if moment is None else moment.astimezone()

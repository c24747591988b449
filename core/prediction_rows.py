"""A prediction as a value and as a row: what each says of the other."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

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


def row_of(prediction: Prediction, instance_key: int, preview_key: str | None) -> PredictionRow:
    """Return the row that holds a value; the keys are those of the scan and of its picture."""
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

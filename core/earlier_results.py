"""Earlier results of the same eye, for laying one beside another."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from core.eye_selection import of_eye, unindexed
from core.reviews import withheld
from core.tables.predictions import PredictionRow
from core.values.prediction import ModelIdentity, Prediction, PredictionStatus
from core.values.scan import Device, ScanKind

#: As many as a person looks through.
_MOST: Final = 60


@dataclass(frozen=True)
class EarlierResult:
    """An estimate of an earlier scan of the same eye, by whatever device and model."""

    prediction_id: str
    acquired_at: datetime
    mean_deviation_db: float | None
    model: ModelIdentity
    device: Device
    scan_kind: ScanKind | None


def find_earlier(
    session: Session, prediction: Prediction, instance_key: int, patient_key: int
) -> list[EarlierResult]:
    """Return the estimates of earlier scans of an eye, the newest first.

    Those that a person said must not be used are left out. Without an eye or a time of the scan
    nothing is earlier.

    Parameters
    ----------
    instance_key
        Of the scan: its estimates by other weights are no other visit.
    """
    if prediction.laterality is None or prediction.acquired_at is None:
        return []
    told = (
        select(PredictionRow.id, PredictionRow.acquired_at, PredictionRow.mean_deviation_db)
        .add_columns(col(PredictionRow.model_name), col(PredictionRow.model_version))
        .add_columns(col(PredictionRow.model_digest), col(PredictionRow.scan_kind))
        .add_columns(col(PredictionRow.manufacturer), col(PredictionRow.manufacturer_model_name))
        .add_columns(col(PredictionRow.device_serial_number))
    )
    statement = (
        of_eye(told, patient_key, prediction.laterality)
        .where(
            unindexed(col(PredictionRow.status)) == PredictionStatus.FINAL,
            col(PredictionRow.acquired_at) < prediction.acquired_at.astimezone(),
            col(PredictionRow.instance_key) != instance_key,
            ~withheld(col(PredictionRow.id)),
        )
        .order_by(col(PredictionRow.acquired_at).desc(), col(PredictionRow.id))
        .limit(_MOST)
    )
    return [_result_of(*row) for row in session.execute(statement).all()]


def _result_of(
    prediction_id: str,
    acquired_at: datetime,
    mean_deviation_db: float | None,
    model_name: str,
    model_version: str,
    model_digest: str,
    scan_kind: str | None,
    manufacturer: str,
    device_model: str,
    serial_number: str,
) -> EarlierResult:
    return EarlierResult(
        prediction_id,
        acquired_at,
        mean_deviation_db,
        ModelIdentity(model_name, model_version, model_digest),
        Device(manufacturer, device_model, serial_number),
        ScanKind(scan_kind) if scan_kind else None,
    )

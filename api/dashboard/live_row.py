"""One scan in the list of scans as they come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from api.dashboard.advice import SCAN_AGAIN
from core.tables.jobs import JobStatus
from core.values.identity import PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device, ScanKind


@dataclass(frozen=True)
class LiveRow:
    """A scan that came, and where it stands.

    Attributes
    ----------
    patient_key
        Of the patient's row, for the address of their page.
    prediction_id
        None as long as it was not scored.
    state
        A `PredictionStatus`, or the `JobStatus` of its analysis.
    mean_deviation_db
        Estimated; None where there is no estimate.
    quality_score
        0 to 1; None where the scan was not judged.
    error
        Why the last attempt to score it broke; empty where none did.
    """

    patient_key: int
    patient: PatientIdentity
    laterality: Laterality | None
    device: Device
    received_at: datetime
    state: PredictionStatus | JobStatus
    prediction_id: str | None = None
    acquired_at: datetime | None = None
    scan_kind: ScanKind | None = None
    mean_deviation_db: float | None = None
    quality_score: float | None = None
    reasons: tuple[Reason, ...] = ()
    error: str = ""

    @property
    def is_of_photograph(self) -> bool:
        """Whether it is a photograph of the fundus."""
        return self.scan_kind is ScanKind.FUNDUS

    @property
    def asks_for_new_scan(self) -> bool:
        """Whether the eye should be scanned again, best while the patient is there."""
        return bool(self.reasons) and self.reasons[0].code in SCAN_AGAIN


def scored_row(row: Row[Any]) -> LiveRow:
    """Return a scan that has an answer, from the columns of `live_results`."""
    reasons = tuple(Reason(ReasonCode(one["code"]), one["message"]) for one in row.reasons)
    is_judged = row.quality_score > 0 or any(one.code in SCAN_AGAIN for one in reasons)
    return LiveRow(
        patient_key=row.patient_key,
        patient=PatientIdentity(row.patient_id, row.issuer or None, row.name),
        laterality=Laterality(row.laterality) if row.laterality else None,
        device=Device(row.manufacturer, row.manufacturer_model_name),
        received_at=row.received_at,
        state=PredictionStatus(row.status),
        prediction_id=row.id,
        acquired_at=row.acquired_at,
        scan_kind=ScanKind(row.scan_kind) if row.scan_kind else None,
        mean_deviation_db=row.mean_deviation_db,
        quality_score=row.quality_score if is_judged else None,
        reasons=reasons,
    )


def waiting_row(row: Row[Any]) -> LiveRow:
    """Return a scan that has no answer yet, from the columns of `live_waiting`."""
    return LiveRow(
        patient_key=row.patient_key,
        patient=PatientIdentity(row.patient_id, row.issuer or None, row.name),
        laterality=Laterality(row.laterality) if row.laterality in ("R", "L") else None,
        device=Device(row.manufacturer, row.manufacturer_model_name),
        received_at=row.received_at,
        state=JobStatus(row.status),
        error=row.error or "",
    )

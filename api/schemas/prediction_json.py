"""From a recorded prediction to its JSON."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.schemas.patients import scanned_patient
from api.schemas.predictions import (
    DeviceOut,
    IndicesOut,
    ModelOut,
    PointOut,
    PredictionLinks,
    PredictionOut,
    QualityOut,
    ReasonOut,
    RnflOut,
)
from api.schemas.reviews import request_json, review_json
from api.schemas.values import number, numbers
from core.perimetry.pattern import LOCATIONS, Y_DEGREE, x_as_patient_sees
from core.perimetry.severity import severity_of
from core.prediction_rows import PredictionRecord, prediction_of
from core.tables.reviews import ReviewRequestRow
from core.values.laterality import Laterality
from core.values.prediction import (
    FieldDeviations,
    FieldEstimate,
    Prediction,
)
from core.values.profile import sector_means
from core.values.review import Review


@dataclass(frozen=True)
class Beside:
    """What other rows say of a prediction.

    Attributes
    ----------
    supersedes
        The prediction it replaced.
    review, request
        The decision that holds, and the open request for one.
    """

    supersedes: str | None = None
    review: Review | None = None
    request: ReviewRequestRow | None = None


def prediction_json(record: PredictionRecord, beside: Beside) -> PredictionOut:
    """Return a recorded prediction as JSON."""
    row, prediction = record[0], prediction_of(record)
    reasons = [ReasonOut(code=r.code, message=r.message) for r in prediction.reasons]
    return PredictionOut(
        id=prediction.prediction_id,
        status=prediction.status,
        estimated=True,
        notice=prediction.notice,
        patient=scanned_patient(prediction.patient, number(prediction.age_years)),
        study_instance_uid=prediction.source.study_instance_uid,
        series_instance_uid=prediction.source.series_instance_uid,
        sop_instance_uid=prediction.source.sop_instance_uid,
        accession_number=prediction.source.accession_number,
        laterality=prediction.laterality,
        acquired_at=prediction.acquired_at,
        received_at=prediction.received_at,
        predicted_at=prediction.predicted_at,
        device=DeviceOut(
            manufacturer=prediction.device.manufacturer,
            model=prediction.device.model,
            serial_number=prediction.device.serial_number,
        ),
        model=ModelOut(
            name=prediction.model.name,
            version=prediction.model.version,
            digest=prediction.model.digest,
        ),
        pattern="24-2",
        unit="dB",
        sensitivities=_sensitivities(prediction),
        points=_points(prediction),
        indices=indices_json(prediction.deviations),
        scan_kind=prediction.scan_kind,
        rnfl=rnfl_json(prediction.thickness_um),
        quality=_quality(prediction, reasons),
        reasons=reasons,
        notes=list(prediction.notes),
        review=review_json(beside.review),
        review_requested=request_json(beside.request),
        supersedes=beside.supersedes,
        superseded_by=row.superseded_by,
        links=prediction_links(prediction, row.preview_key is not None, row.fundus_key is not None),
    )


def _sensitivities(prediction: Prediction) -> list[float | None] | None:
    if prediction.estimate is None:
        return None
    return numbers(prediction.estimate.sensitivities_db)


def _points(prediction: Prediction) -> list[PointOut] | None:
    if not (prediction.estimate and prediction.deviations and prediction.laterality):
        return None
    return points_json(prediction.estimate, prediction.deviations, prediction.laterality)


def points_json(
    estimate: FieldEstimate, deviations: FieldDeviations, laterality: Laterality
) -> list[PointOut]:
    """Return the 52 points in right-eye order, each where the patient sees it."""
    columns = zip(
        LOCATIONS,
        x_as_patient_sees(laterality),
        Y_DEGREE,
        estimate.sensitivities_db,
        estimate.lower_db,
        estimate.upper_db,
        deviations.total_deviation_db,
        deviations.pattern_deviation_db,
        strict=True,
    )
    return [
        PointOut(
            location=int(location),
            x=float(x),
            y=float(y),
            sensitivity=number(sensitivity),
            lower=number(lower),
            upper=number(upper),
            total_deviation=number(total),
            pattern_deviation=number(pattern),
        )
        for location, x, y, sensitivity, lower, upper, total, pattern in columns
    ]


def indices_json(deviations: FieldDeviations | None) -> IndicesOut | None:
    """Return the global indices of an estimate; None without one."""
    if deviations is None:
        return None
    return IndicesOut(
        mean_sensitivity=number(deviations.mean_sensitivity_db),
        mean_deviation=number(deviations.mean_deviation_db),
        pattern_standard_deviation=number(deviations.pattern_standard_deviation_db),
        estimated_severity=severity_of(deviations.mean_deviation_db),
    )


def rnfl_json(thickness_um: NDArray[np.float32] | None) -> RnflOut | None:
    """Return a thickness profile, 768 samples in µm, with its means; None without one."""
    if thickness_um is None:
        return None
    return RnflOut(
        mean_um=number(float(thickness_um.mean())),
        sectors_um={name: number(mean) for name, mean in sector_means(thickness_um).items()},
        profile_um=numbers(thickness_um),
    )


def _quality(prediction: Prediction, reasons: list[ReasonOut]) -> QualityOut:
    # Where the scan could not be read, nothing was judged: its 0 is no verdict.
    return QualityOut(
        assessable=prediction.estimate is not None,
        score=number(prediction.quality_score) if prediction.is_judged else None,
        reasons=reasons,
    )


def prediction_links(prediction: Prediction, has_bscan: bool, has_fundus: bool) -> PredictionLinks:
    """Return where the other forms of a prediction are."""
    path = f"/v1/predictions/{prediction.prediction_id}"
    return PredictionLinks(
        self=path,
        report=f"{path}/report.dcm",
        pdf=f"{path}/report.pdf",
        fhir=f"{path}/report.fhir.json",
        png=f"{path}/report.png",
        svg=f"{path}/report.svg",
        points=f"{path}/points.csv" if prediction.estimate is not None else None,
        bscan=f"{path}/bscan.png" if has_bscan else None,
        fundus=f"{path}/fundus.jpg" if has_fundus else None,
        page=f"/predictions/{prediction.prediction_id}",
        study=f"/v1/studies/{prediction.source.study_instance_uid}",
    )

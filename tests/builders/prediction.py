"""A complete prediction for tests: of a field with a loss, or of a scan without an estimate.

    build_prediction()                                            a healthy right eye
    build_prediction(laterality=Laterality.LEFT, loss=Loss.ARCUATE)
    build_prediction(status=PredictionStatus.NOT_ASSESSABLE)
    build_fundus_prediction()                                     of a photograph, with its picture
    build_prediction(prediction_id="a", patient=PatientIdentity("P2"))   any field of Prediction

The numbers are made here without the code under test, so that a fault there cannot hide here.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.prediction import (
    FieldDeviations,
    FieldEstimate,
    ModelIdentity,
    Prediction,
    PredictionStatus,
)
from core.values.profile import PROFILE_ANGLES_DEGREE, Layers
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device, ScanKind

#: First and last x of each row of the 24-2 pattern, right eye, degree.
_ROWS: Final = ((21, 9, 9), (15, 15, 15), (9, 21, 21), (3, 27, 21))

#: (x, y) of the 52 points in degree, right-eye format, in the order of the sensitivities.
POINTS_DEGREE: Final[tuple[tuple[int, int], ...]] = tuple(
    (x, sign * y)
    for sign, rows in ((1, _ROWS), (-1, _ROWS[::-1]))
    for y, left, right in rows
    for x in range(-left, right + 1, 6)
    if (x, y) != (15, 3)
)

#: Height in micrometre, centre and width in degree TSNIT of the humps of a normal profile.
_HUMPS: Final = ((81.4, 68.1, 20.7), (25.3, 105.3, 21.8), (88.5, 293.4, 19.9), (39.0, 251.2, 31.1))


class Loss(StrEnum):
    """How the estimated field looks; every loss is lopsided, so that a mirrored eye shows."""

    NONE = "none"
    #: Upper arcuate loss with a nasal step, and the lower part of the profile thinned.
    ARCUATE = "arcuate"
    #: Only the centre and the temporal remnant are left.
    ADVANCED = "advanced"


def _loss_db(loss: Loss) -> NDArray[np.float64]:
    x, y = np.array(POINTS_DEGREE, dtype=float).T
    eccentricity = np.hypot(x, y)
    if loss is Loss.ARCUATE:
        depth = 24 * np.exp(-(((eccentricity - 15) / 7) ** 2)) * (y > 0)
        return np.where((x < -14) & (y > 0), 22.0, depth * (x < 13))
    if loss is Loss.ADVANCED:
        return np.where((eccentricity < 6) | (x > 14), 9.0, 26.0)
    return np.zeros(len(POINTS_DEGREE))


def _norm_db() -> NDArray[np.float64]:
    x, y = np.array(POINTS_DEGREE, dtype=float).T
    norm: NDArray[np.float64] = 33.0 - 0.24 * np.hypot(x, y) - 0.4 * (y > 0)
    return norm


def _estimate(loss: Loss) -> FieldEstimate:
    x, y = np.array(POINTS_DEGREE, dtype=float).T
    texture = 0.9 * np.sin(0.9 * x + 0.4 * y)
    values = np.clip(_norm_db() - _loss_db(loss) + texture, 0, 40).astype(np.float32)
    half = (3.0 + 0.12 * (33 - values)).astype(np.float32)
    return FieldEstimate(
        values,
        np.maximum(values - half, 0).astype(np.float32),
        np.minimum(values + half * 0.8, 40).astype(np.float32),
    )


def _deviations(estimate: FieldEstimate) -> FieldDeviations:
    total = estimate.sensitivities_db - _norm_db()
    return FieldDeviations(
        total_deviation_db=total.astype(np.float32),
        pattern_deviation_db=(total - np.sort(total)[-7]).astype(np.float32),
        mean_sensitivity_db=float(np.mean(estimate.sensitivities_db)),
        mean_deviation_db=float(np.mean(total)),
        pattern_standard_deviation_db=float(np.std(total)),
    )


def build_thickness_um(loss: Loss = Loss.NONE) -> NDArray[np.float32]:
    """Return a 768-sample profile in micrometre, thin below where the loss is arcuate."""
    profile = np.full(PROFILE_ANGLES_DEGREE.shape, 62.2)
    for height, centre, width in _HUMPS:
        distance = (PROFILE_ANGLES_DEGREE - centre + 180) % 360 - 180
        keep = 1.0
        if loss is Loss.ADVANCED or (loss is Loss.ARCUATE and centre > 180):
            keep = 0.15
        profile = profile + keep * height * np.exp(-0.5 * (distance / width) ** 2)
    if loss is Loss.ADVANCED:
        profile = profile - 15
    ripple = 3 * np.sin(np.radians(PROFILE_ANGLES_DEGREE * 9))
    thickness: NDArray[np.float32] = (profile + ripple).astype(np.float32)
    return thickness


def _layers() -> Layers:
    column = np.linspace(0, 2 * np.pi, 768)
    ilm = 170 + 14 * np.cos(column)
    return Layers(ilm.astype(np.float32), (ilm + 25).astype(np.float32))


def _without_estimate(status: PredictionStatus) -> dict[str, Any]:
    if status is PredictionStatus.FAILED:
        reason = Reason(
            ReasonCode.PROCESSING_FAILED,
            "Scoring broke three times; the model's memory ran out. Retry the job.",
        )
    else:
        reason = Reason(
            ReasonCode.SIGNAL_TOO_LOW, "The signal is 9 dB; below 15 dB no field is estimated."
        )
    return {"reasons": (reason,), "estimate": None, "deviations": None}


def build_prediction(
    *,
    laterality: Laterality | None = Laterality.RIGHT,
    status: PredictionStatus = PredictionStatus.FINAL,
    loss: Loss = Loss.NONE,
    **changes: Any,
) -> Prediction:
    """Return a prediction; `changes` replaces any further field of it."""
    estimate = _estimate(loss)
    prediction = Prediction(
        prediction_id="5f0c2b3e-6a51-4a6e-9a1c-0d0f4e6f7a10",
        status=status,
        patient=PatientIdentity("P-0001", "Clinic", "Sample^Eye", date(1958, 3, 1), "F"),
        source=InstanceIdentity("2.25.101", "2.25.102", "2.25.103", "ACC0001"),
        model=ModelIdentity("retinervenet", "1.0.0", "sha256:" + "0123456789abcdef" * 4),
        device=Device("Maker", "Scanner", "SN-1"),
        laterality=laterality,
        received_at=datetime(2026, 3, 4, 9, 30, 0, tzinfo=UTC),
        predicted_at=datetime(2026, 3, 4, 9, 30, 1, 250000, tzinfo=UTC),
        acquired_at=datetime(2011, 1, 15, 10, 15, 0, tzinfo=UTC),
        age_years=52.9,
        quality_score=0.93,
        estimate=estimate,
        deviations=_deviations(estimate),
        thickness_um=build_thickness_um(loss),
        layers=_layers(),
        scan_kind=ScanKind.CIRCLE,
    )
    if status in {PredictionStatus.NOT_ASSESSABLE, PredictionStatus.FAILED}:
        prediction = replace(prediction, **_without_estimate(status))
    return replace(prediction, **changes)


def build_fundus_prediction(**changes: Any) -> Prediction:
    """Return a prediction of a photograph: no profile, no layers, a picture in colour."""
    of_photograph: dict[str, Any] = {
        "model": ModelIdentity("fundus_field", "1.0.0", "sha256:" + "fedcba9876543210" * 4),
        "device": Device("Maker", "Camera", "SN-2"),
        "thickness_um": None,
        "layers": None,
        "scan_kind": ScanKind.FUNDUS,
        "picture": build_fundus_picture(),
        "notes": ("The photograph has no Patient Orientation (0020,0020).",),
    }
    return build_prediction(**{**of_photograph, **changes})


def build_fundus_picture() -> NDArray[np.uint8]:
    """Return a picture with a bright disc on a red ground, shape (300, 400, 3)."""
    row, column = np.indices((300, 400))
    picture = np.full((300, 400, 3), (150, 60, 25), np.uint8)
    picture[np.hypot(row - 150, column - 260) < 40] = (240, 210, 140)
    return picture

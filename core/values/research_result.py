"""A result as researchers see it: whose it is stands under a pseudonym."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from core.values.laterality import Laterality
from core.values.prediction import (
    FieldDeviations,
    FieldEstimate,
    ModelIdentity,
    PredictionStatus,
)
from core.values.reason import ReasonCode
from core.values.review import ReviewDecision
from core.values.scan import ScanKind


@dataclass(frozen=True)
class ResearchResult:
    """What is known of one scored instance, and not whose it is.

    Attributes
    ----------
    result, patient, study_instance_uid, sop_instance_uid
        Pseudonyms of a project.
    age_years
        Whole years, at most 90; None where unknown.
    acquired_on
        Day of the scan, moved like all days of the patient.
    manufacturer, device_model
        What took it; never which one.
    reasons
        Codes of why there is no estimate.
    quality_score
        0 (useless) to 1 (clean); None where the scan could not be judged.
    review
        What a person decided last.
    thickness_um
        768-sample TSNIT profile.
    """

    result: str
    patient: str
    study_instance_uid: str
    sop_instance_uid: str
    sex: str | None
    age_years: int | None
    acquired_on: date | None
    laterality: Laterality | None
    status: PredictionStatus
    reasons: tuple[ReasonCode, ...]
    scan_kind: ScanKind | None
    manufacturer: str
    device_model: str
    model: ModelIdentity
    quality_score: float | None
    review: ReviewDecision | None
    estimate: FieldEstimate | None
    deviations: FieldDeviations | None
    thickness_um: NDArray[np.float32] | None
    notice: str

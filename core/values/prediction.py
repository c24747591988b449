"""An estimated 24-2 visual field of one eye. An estimate, never a measurement."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.values.circle_course import CircleCourse
from core.values.fundus_place import FundusPlace
from core.values.identity import InstanceIdentity, PatientIdentity
from core.values.laterality import Laterality
from core.values.profile import Layers
from core.values.reason import Reason
from core.values.scan import Device, ScanKind

#: Points of the 24-2 pattern without the two at the blind spot.
FIELD_POINTS: Final = 52

#: The sentence that stands on every result.
ESTIMATE_NOTICE: Final = (
    "Estimated from structure, not measured. Reference model trained on simulated structure paired "
    "with real, public visual-field patterns. Not clinically validated; not for clinical use."
)

#: Stands before it on every result of a photograph.
FUNDUS_NOTICE: Final = "Estimated from a fundus photograph: weaker than an estimate from OCT."


class PredictionStatus(StrEnum):
    """How the scoring of an instance ended."""

    #: A field was estimated.
    FINAL = "final"
    #: The scan must not be scored; the reasons say why.
    NOT_ASSESSABLE = "not_assessable"
    #: Scoring broke after all attempts; the reasons say where.
    FAILED = "failed"
    #: A later prediction of the same scan replaces it.
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class ModelIdentity:
    """The model that made a prediction; the digest pins its weights."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class FieldEstimate:
    """52 estimated sensitivities with an interval each, right-eye format.

    Attributes
    ----------
    sensitivities_db
        float32, shape (52,), 0 to 40 dB, in the order of locations 1 to 54 without 26 and 35.
    lower_db, upper_db
        float32, shape (52,): limits of the 90 % interval of each estimate.
    """

    sensitivities_db: NDArray[np.float32]
    lower_db: NDArray[np.float32]
    upper_db: NDArray[np.float32]


@dataclass(frozen=True)
class FieldDeviations:
    """How an estimated field differs from the age norm.

    Attributes
    ----------
    total_deviation_db, pattern_deviation_db
        float32, shape (52,), dB, right-eye format.
    mean_sensitivity_db, mean_deviation_db, pattern_standard_deviation_db
        Global indices. The last was built for measured fields and is not calibrated for estimates.
    """

    total_deviation_db: NDArray[np.float32]
    pattern_deviation_db: NDArray[np.float32]
    mean_sensitivity_db: float
    mean_deviation_db: float
    pattern_standard_deviation_db: float


@dataclass(frozen=True)
class Prediction:
    """What is known of one scored instance: the estimate, or the reasons why there is none.

    Attributes
    ----------
    prediction_id
        Random identifier, the `id` of the REST API.
    laterality
        None where it could not be decided; then there is no estimate either.
    reasons
        Why there is no estimate; empty when `status` is final.
    estimate, deviations, thickness_um, layers
        None where the scoring did not get that far. `thickness_um` is the 768-sample TSNIT profile.
    quality_score
        0 (useless) to 1 (clean).
    age_years
        Age at the scan, None where unknown.
    acquired_at
        When the device took the scan, None where it did not say.
    received_at, predicted_at
        UTC, time-zone aware.
    scan_kind
        What the device recorded, None where that could not be read.
    notes
        Warnings for people about the scan, without patient data.
    fundus
        Where the scan lies on the kept picture of the fundus, None where none is kept.
    course
        Where the columns of the B-scan lie, None where there is none or it is not known.
    picture
        What the scan showed, for reports: uint8, shape (rows, columns) or (rows, columns, 3). None
        where none is kept or nobody draws it; the record itself does not hold it.
    """

    prediction_id: str
    status: PredictionStatus
    patient: PatientIdentity
    source: InstanceIdentity
    model: ModelIdentity
    device: Device
    laterality: Laterality | None
    received_at: datetime
    predicted_at: datetime
    acquired_at: datetime | None = None
    age_years: float | None = None
    quality_score: float = 0.0
    reasons: tuple[Reason, ...] = ()
    estimate: FieldEstimate | None = None
    deviations: FieldDeviations | None = None
    thickness_um: NDArray[np.float32] | None = None
    layers: Layers | None = None
    scan_kind: ScanKind | None = None
    notes: tuple[str, ...] = ()
    fundus: FundusPlace | None = None
    course: CircleCourse | None = None
    picture: NDArray[np.uint8] | None = None

    @property
    def is_of_photograph(self) -> bool:
        """Whether it was made from a photograph of the fundus."""
        return self.scan_kind is ScanKind.FUNDUS

    @property
    def is_judged(self) -> bool:
        """Whether it was looked at: a scan that could not be read has no quality, not a bad one."""
        return self.thickness_um is not None or self.quality_score > 0

    @property
    def origin(self) -> str:
        """What it was estimated from, for people: `estimated from …`."""
        return "a fundus photograph" if self.is_of_photograph else "OCT"

    @property
    def notice(self) -> str:
        """The sentences that stand on the result."""
        return f"{FUNDUS_NOTICE} {ESTIMATE_NOTICE}" if self.is_of_photograph else ESTIMATE_NOTICE

"""A prediction as JSON: the shape that clinics' programs read."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.measured_fields import AgreementOut
from api.schemas.patients import ScannedPatientOut
from api.schemas.reviews import ReviewOut, ReviewRequestOut
from api.schemas.values import Moment
from core.perimetry.severity import Severity
from core.values.laterality import Laterality
from core.values.prediction import ESTIMATE_NOTICE, PredictionStatus
from core.values.reason import ReasonCode
from core.values.scan import ScanKind


class DeviceOut(BaseModel):
    """The device that took the scan; empty text where it did not say."""

    manufacturer: str
    model: str
    serial_number: str


class ModelOut(BaseModel):
    """The model that made the prediction; the digest pins its weights."""

    name: str = Field(examples=["retinervenet"])
    version: str = Field(examples=["1.0.0"])
    digest: str


class PointOut(BaseModel):
    """One estimated point, dB; `x` and `y` in degree as the patient sees them, +x right, +y up."""

    location: int = Field(description="1 to 54 without 26 and 35.")
    x: float
    y: float
    sensitivity: float | None
    lower: float | None = Field(description="Lower limit of the 90 % interval.")
    upper: float | None = Field(description="Upper limit of the 90 % interval.")
    total_deviation: float | None
    pattern_deviation: float | None


class IndicesOut(BaseModel):
    """Global indices in dB; the pattern standard deviation is not calibrated for estimates."""

    mean_sensitivity: float | None
    mean_deviation: float | None
    pattern_standard_deviation: float | None
    estimated_severity: Severity | None = Field(
        description="Class of the estimated mean deviation by Hodapp, Parrish and Anderson; an "
        "estimate, no stage of a disease."
    )


class RnflOut(BaseModel):
    """Nerve fibre layer thickness around the disc, micrometre, TSNIT for both eyes."""

    mean_um: float | None
    sectors_um: dict[str, float | None]
    profile_um: list[float | None] = Field(
        description="768 samples; sample k at (k + 0.5) * 360 / 768 degree, 0 = temporal."
    )


class ReasonOut(BaseModel):
    """Why there is no estimate."""

    code: ReasonCode
    message: str


class QualityOut(BaseModel):
    """Whether the scan was good enough."""

    assessable: bool
    score: float | None = Field(description="0 useless to 1 clean; null where it was not judged.")
    reasons: list[ReasonOut]


class PredictionLinks(BaseModel):
    """The same result in other forms."""

    self: str
    report: str = Field(description="DICOM structured report.")
    pdf: str = Field(description="One page to file: field, scan, trend, the other eye.")
    fhir: str = Field(description="FHIR R4 bundle.")
    png: str
    svg: str
    points: str | None = Field(description="The 52 points as CSV; null without an estimate.")
    bscan: str | None = Field(description="The scan's picture; null where none was kept.")
    fundus: str | None = Field(
        description="The picture of the fundus, upright; null where none was kept."
    )
    page: str
    study: str


class PredictionOut(BaseModel):
    """An estimated 24-2 field of one eye, or the reasons why there is none. Never a measurement."""

    id: str
    status: PredictionStatus
    estimated: Literal[True] = Field(description="Always true: estimated, not measured.")
    notice: str = Field(examples=[ESTIMATE_NOTICE])
    patient: ScannedPatientOut
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    accession_number: str
    laterality: Laterality | None = Field(description="Null where it could not be decided.")
    acquired_at: Moment | None
    received_at: Moment
    predicted_at: Moment
    device: DeviceOut
    model: ModelOut
    pattern: Literal["24-2"]
    unit: Literal["dB"]
    sensitivities: list[float | None] | None = Field(
        description="52 values in right-eye order (locations 1 to 54 without 26 and 35), for both "
        "eyes; null where there is no estimate."
    )
    points: list[PointOut] | None
    indices: IndicesOut | None
    scan_kind: ScanKind | None = Field(
        description="What it was estimated from; null where the scan could not be read. A field "
        "from `fundus` is weaker than one from OCT."
    )
    rnfl: RnflOut | None = Field(description="Null where the scan has no such layer: a photograph.")
    quality: QualityOut
    reasons: list[ReasonOut] = Field(description="Empty where the status is `final`.")
    notes: list[str] = Field(description="Warnings about the scan, for people.")
    review: ReviewOut | None = Field(description="The decision that holds; null without one.")
    review_requested: ReviewRequestOut | None = Field(description="An open request for one.")
    supersedes: str | None = Field(description="The prediction this one replaced.")
    superseded_by: str | None = Field(description="The prediction that replaced this one.")
    agreement: AgreementOut | None = Field(
        default=None,
        description="With the nearest measured field of the eye, where one lies near enough; told "
        "only where this one prediction is asked for.",
    )
    links: PredictionLinks

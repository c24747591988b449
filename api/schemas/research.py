"""Results for researchers as JSON: no name, no number, no real UID, no real date."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.prediction_json import indices_json, rnfl_json
from api.schemas.predictions import IndicesOut, ModelOut, RnflOut
from api.schemas.values import number, numbers
from core.values.laterality import Laterality
from core.values.prediction import PredictionStatus
from core.values.reason import ReasonCode
from core.values.research_result import ResearchResult
from core.values.review import ReviewDecision
from core.values.scan import ScanKind

_POINTS = "52 values in dB, right-eye order, for both eyes; null where there is no estimate."


class ResearchDeviceOut(BaseModel):
    """What took the scan; which one is not told."""

    manufacturer: str
    model: str


class ResearchResultOut(BaseModel):
    """An estimated 24-2 field of one eye under pseudonyms of a project. Never a measurement."""

    result: str = Field(description="Pseudonym of the result.", examples=["E-JBSWY3DPEHPK3PXP"])
    patient: str = Field(description="Pseudonym of the patient; both eyes and all visits share it.")
    study_instance_uid: str = Field(description="Pseudonym, as in `arcuate export`.")
    sop_instance_uid: str = Field(description="Pseudonym, as in `arcuate export`.")
    sex: str | None
    age_years: int | None = Field(description="Whole years; 90 stands for 90 and above.")
    acquired_on: date | None = Field(
        description="Moved by a fixed number of days for each patient: intervals are right, the "
        "day is not."
    )
    laterality: Laterality | None
    status: PredictionStatus
    estimated: Literal[True] = Field(description="Always true: estimated, not measured.")
    notice: str
    reasons: list[ReasonCode] = Field(description="Why there is no estimate.")
    scan_kind: ScanKind | None
    device: ResearchDeviceOut
    model: ModelOut
    pattern: Literal["24-2"]
    unit: Literal["dB"]
    sensitivities: list[float | None] | None = Field(description=_POINTS)
    lower: list[float | None] | None = Field(description="Lower limits of the 90 % intervals.")
    upper: list[float | None] | None = Field(description="Upper limits of the 90 % intervals.")
    total_deviation: list[float | None] | None = Field(description=_POINTS)
    pattern_deviation: list[float | None] | None = Field(description=_POINTS)
    indices: IndicesOut | None
    rnfl: RnflOut | None
    quality_score: float | None = Field(description="0 useless to 1 clean; null: not judged.")
    review: ReviewDecision | None = Field(description="What a person decided last.")


def research_json(result: ResearchResult) -> ResearchResultOut:
    """Return a result as JSON."""
    estimate, deviations, model = result.estimate, result.deviations, result.model
    return ResearchResultOut(
        result=result.result,
        patient=result.patient,
        study_instance_uid=result.study_instance_uid,
        sop_instance_uid=result.sop_instance_uid,
        sex=result.sex,
        age_years=result.age_years,
        acquired_on=result.acquired_on,
        laterality=result.laterality,
        status=result.status,
        estimated=True,
        notice=result.notice,
        reasons=list(result.reasons),
        scan_kind=result.scan_kind,
        device=ResearchDeviceOut(manufacturer=result.manufacturer, model=result.device_model),
        model=ModelOut(name=model.name, version=model.version, digest=model.digest),
        pattern="24-2",
        unit="dB",
        sensitivities=None if estimate is None else numbers(estimate.sensitivities_db),
        lower=None if estimate is None else numbers(estimate.lower_db),
        upper=None if estimate is None else numbers(estimate.upper_db),
        total_deviation=None if deviations is None else numbers(deviations.total_deviation_db),
        pattern_deviation=None if deviations is None else numbers(deviations.pattern_deviation_db),
        indices=indices_json(result.deviations),
        rnfl=rnfl_json(result.thickness_um),
        quality_score=number(result.quality_score),
        review=result.review,
    )

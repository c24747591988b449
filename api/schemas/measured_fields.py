"""Measured fields, and how far estimates lie from them, as JSON."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.values import Moment, number, numbers
from core.field_agreement import Comparison
from core.tables.columns import key_of
from core.tables.measured_fields import MeasuredFieldRow
from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern, FieldSource

_DAY_SECONDS = 86400


class MeasuredPointOut(BaseModel):
    """One tested place, dB; `x` and `y` in degree as the patient sees them, +x right, +y up."""

    x: float
    y: float
    sensitivity: float | None
    seen: bool = Field(description="False where the brightest stimulus was not seen: below 0 dB.")
    total_deviation: float | None
    pattern_deviation: float | None


class MeasuredIndicesOut(BaseModel):
    """Global indices as the device gave them, by its own norm."""

    mean_deviation: float | None
    pattern_standard_deviation: float | None
    visual_field_index: float | None = Field(description="Percent.")
    glaucoma_hemifield_test: str | None


class ReliabilityOut(BaseModel):
    """How the patient did; null where the device did not say."""

    fixation_checks: int | None
    fixation_losses: int | None
    false_positive_percent: float | None
    false_negative_percent: float | None
    test_duration_seconds: float | None


class MeasuredFieldLinks(BaseModel):
    """Where it is."""

    self: str


class MeasuredFieldOut(BaseModel):
    """A visual field that a perimeter measured. Read from others, never written by us."""

    id: int
    measured: Literal[True] = Field(description="Always true: measured, not estimated.")
    laterality: Laterality
    pattern: FieldPattern
    strategy: str
    measured_at: Moment | None
    recorded_at: Moment
    source: FieldSource
    age_years: float | None
    unit: Literal["dB"]
    sensitivities: list[float | None] | None = Field(
        description="52 values in the order of a prediction's; what was not seen is 0. Null where "
        "the test has not all places of the 24-2."
    )
    points: list[MeasuredPointOut]
    indices: MeasuredIndicesOut
    foveal_sensitivity: float | None
    reliability: ReliabilityOut
    links: MeasuredFieldLinks


class AgreementOut(BaseModel):
    """An estimate beside the nearest measured field; differences are estimate less measurement."""

    measured_field: str = Field(description="Where that field is.")
    measured_at: Moment
    days_after_scan: float = Field(description="Negative where it was measured before the scan.")
    pattern: FieldPattern
    points: int = Field(description="How many were compared.")
    differences: list[float | None] = Field(description="dB, in the order of `sensitivities`.")
    mean_absolute_error: float | None
    mean_difference: float | None
    mean_deviation_difference: float | None = Field(
        description="Both mean deviations by the norm of the estimates; null without an age."
    )
    baseline_mean_absolute_error: float | None = Field(
        description="Of the trivial guess, the normal field of that age: an estimate that is no "
        "better says nothing of this eye. Null without an age."
    )
    device_mean_deviation: float | None = Field(description="As the device gave it, by its norm.")


def measured_field_json(row: MeasuredFieldRow) -> MeasuredFieldOut:
    """Return a recorded field as JSON."""
    return MeasuredFieldOut(
        id=key_of(row),
        measured=True,
        laterality=Laterality(row.laterality),
        pattern=FieldPattern(row.pattern),
        strategy=row.strategy,
        measured_at=row.measured_at,
        recorded_at=row.recorded_at,
        source=FieldSource(row.source),
        age_years=number(row.age_years),
        unit="dB",
        sensitivities=None if row.sensitivities_db is None else numbers(row.sensitivities_db),
        points=[_point(point) for point in row.points],
        indices=MeasuredIndicesOut(
            mean_deviation=number(row.mean_deviation_db),
            pattern_standard_deviation=number(row.pattern_standard_deviation_db),
            visual_field_index=number(row.visual_field_index_percent),
            glaucoma_hemifield_test=row.glaucoma_hemifield_test or None,
        ),
        foveal_sensitivity=number(row.foveal_sensitivity_db),
        reliability=ReliabilityOut(**row.reliability),
        links=MeasuredFieldLinks(self=_path(row)),
    )


def agreement_json(comparison: Comparison | None) -> AgreementOut | None:
    """Return a comparison as JSON."""
    if comparison is None or comparison.measured.measured_at is None:
        return None
    row, agreement = comparison.measured, comparison.agreement
    return AgreementOut(
        measured_field=_path(row),
        measured_at=comparison.measured.measured_at,
        days_after_scan=round(comparison.after.total_seconds() / _DAY_SECONDS, 2),
        pattern=FieldPattern(row.pattern),
        points=len(agreement.differences_db),
        differences=numbers(agreement.differences_db),
        mean_absolute_error=number(agreement.mean_absolute_error_db),
        mean_difference=number(agreement.mean_difference_db),
        mean_deviation_difference=number(agreement.mean_deviation_difference_db),
        baseline_mean_absolute_error=number(agreement.baseline_mean_absolute_error_db),
        device_mean_deviation=number(row.mean_deviation_db),
    )


def _point(point: dict[str, float | bool | None]) -> MeasuredPointOut:
    return MeasuredPointOut.model_validate(
        {
            "x": point["x_degree"],
            "y": point["y_degree"],
            "sensitivity": point["sensitivity_db"],
            "seen": point["is_seen"],
            "total_deviation": point["total_deviation_db"],
            "pattern_deviation": point["pattern_deviation_db"],
        }
    )


def _path(row: MeasuredFieldRow) -> str:
    return f"/v1/measured-fields/{row.id}"

"""The trend of one eye as JSON."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, Field

from api.schemas.patients import PatientOut, patient_of_row
from api.schemas.predictions import DeviceOut, ModelOut
from api.schemas.values import Moment, number
from core.perimetry.trend import (
    CONFIDENCE_PERCENT,
    MINIMUM_SPAN_YEARS,
    MINIMUM_VISITS,
    Line,
    NoSlope,
)
from core.tables.patients import PatientRow
from core.trends.result import Index, MeasuredVisit, Place, TrendResult
from core.trends.telling import Change, EyeTrend, Run
from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern
from core.values.prediction import ESTIMATE_NOTICE, ModelIdentity
from core.values.scan import Device, ScanKind


class TrendPointOut(BaseModel):
    """One result; only those `counted` are in a run and its lines."""

    prediction_id: str
    place: Place = Field(description="What becomes of it in the trend.")
    run: int | None = Field(description="Number of its run; null where it is in none.")
    acquired_at: Moment | None
    scan_kind: ScanKind | None
    device: DeviceOut
    model: ModelOut
    quality_score: float | None
    mean_deviation: float | None = Field(description="dB.")
    rnfl_um: dict[Index, float | None] = Field(
        description="Mean of the circle and of each sector, µm; empty without a profile."
    )
    reasons: list[str] = Field(description="Codes of why there is no estimate.")
    links: dict[str, str]


class TrendLineOut(BaseModel):
    """A line by least squares through one index of a run; null numbers where `no_slope` says why.

    The interval is that of Student's t. It is no test of progression.
    """

    unit: str
    no_slope: NoSlope | None
    visits: int | None
    slope_per_year: float | None
    lower_per_year: float | None
    upper_per_year: float | None
    value_at_first: float | None
    value_at_last: float | None
    residual_sd: float | None


class RunOut(BaseModel):
    """The visits of one device, kind of scan and version of a model: only these compare."""

    number: int
    device: DeviceOut
    model: ModelOut
    scan_kind: ScanKind | None
    visits: int
    first_at: Moment
    last_at: Moment
    lines: dict[Index, TrendLineOut]


class ChangeOut(BaseModel):
    """A visit of another device, model or kind of scan than the one before; null where the same."""

    at: Moment
    device: DeviceOut | None
    model: ModelOut | None
    scan_kind: ScanKind | None


class TrendMeasuredOut(BaseModel):
    """A measured field of the eye, in no line; the two mean deviations are by different norms."""

    measured_at: Moment | None
    pattern: FieldPattern
    strategy: str
    mean_deviation: float | None = Field(
        description="By the norm of the estimates, dB; null without all 52 places or an age."
    )
    device_mean_deviation: float | None = Field(description="By the perimeter's own norm, dB.")
    links: dict[str, str]


class TrendOut(BaseModel):
    """One eye over time. Estimated, never measured; not a test of progression."""

    patient: PatientOut
    laterality: Laterality
    estimated: Literal[True]
    notice: str
    confidence_percent: int
    minimum_visits: int = Field(description="Fewer visits of a run give no slope.")
    minimum_span_years: float = Field(description="Visits closer together give none.")
    points: list[TrendPointOut] = Field(description="In order of time, those without a day last.")
    runs: list[RunOut]
    changes: list[ChangeOut]
    measured_fields: list[TrendMeasuredOut]
    is_cut: bool = Field(description="Whether there are older results than are told here.")


_NO_LINE: Final = dict.fromkeys(set(TrendLineOut.model_fields) - {"unit", "no_slope"})


def trend_json(patient: PatientRow, trend: EyeTrend) -> TrendOut:
    """Return the trend of an eye as JSON."""
    runs = {result.prediction_id: run.number for run in trend.runs for result in run.results}
    return TrendOut(
        patient=patient_of_row(patient),
        laterality=trend.laterality,
        estimated=True,
        notice=ESTIMATE_NOTICE,
        confidence_percent=CONFIDENCE_PERCENT,
        minimum_visits=MINIMUM_VISITS,
        minimum_span_years=MINIMUM_SPAN_YEARS,
        points=[_point(result, runs) for result in trend.results],
        runs=[_run(run) for run in trend.runs],
        changes=[_change(change) for change in trend.changes],
        measured_fields=[_measured(visit) for visit in trend.measured],
        is_cut=trend.is_cut,
    )


def _point(result: TrendResult, runs: Mapping[str, int]) -> TrendPointOut:
    name = result.prediction_id
    return TrendPointOut(
        prediction_id=name,
        place=result.place,
        run=runs.get(name),
        acquired_at=result.acquired_at,
        scan_kind=result.scan_kind,
        device=_device(result.device),
        model=_model(result.model),
        quality_score=number(result.quality_score),
        mean_deviation=number(result.mean_deviation_db),
        rnfl_um={index: number(value) for index, value in result.rnfl_um.items()},
        reasons=list(result.reasons),
        links={"prediction": f"/v1/predictions/{name}", "page": f"/predictions/{name}"},
    )


def _run(run: Run) -> RunOut:
    moments = [r.acquired_at for r in run.results if r.acquired_at is not None]
    return RunOut(
        number=run.number,
        device=_device(run.device),
        model=_model(run.model),
        scan_kind=run.scan_kind,
        visits=len(run.results),
        first_at=moments[0],
        last_at=moments[-1],
        lines={index: _line(index, line) for index, line in run.lines.items()},
    )


def _line(index: Index, line: Line | NoSlope) -> TrendLineOut:
    if isinstance(line, NoSlope):
        return TrendLineOut(unit=index.unit, no_slope=line, **_NO_LINE)
    return TrendLineOut(
        unit=index.unit,
        no_slope=None,
        visits=line.visits,
        slope_per_year=number(line.slope_per_year),
        lower_per_year=number(line.lower_per_year),
        upper_per_year=number(line.upper_per_year),
        value_at_first=number(line.value_at_first),
        value_at_last=number(line.value_at_last),
        residual_sd=number(line.residual_sd),
    )


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        at=change.at,
        device=None if change.device is None else _device(change.device),
        model=None if change.model is None else _model(change.model),
        scan_kind=change.scan_kind,
    )


def _measured(visit: MeasuredVisit) -> TrendMeasuredOut:
    return TrendMeasuredOut(
        measured_at=visit.measured_at,
        pattern=FieldPattern(visit.pattern),
        strategy=visit.strategy,
        mean_deviation=number(visit.mean_deviation_db),
        device_mean_deviation=number(visit.device_mean_deviation_db),
        links={"measured_field": f"/v1/measured-fields/{visit.measured_field_id}"},
    )


def _device(device: Device) -> DeviceOut:
    return DeviceOut(
        manufacturer=device.manufacturer, model=device.model, serial_number=device.serial_number
    )


def _model(model: ModelIdentity) -> ModelOut:
    return ModelOut(name=model.name, version=model.version, digest=model.digest)

"""A measured field beside an estimate as a page draws it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.dashboard.compare_view import difference_shade
from api.dashboard.field_view import signed_whole, whole
from core.field_agreement import Comparison
from core.perimetry.pattern import LOCATIONS, Y_DEGREE, x_as_patient_sees
from core.values.laterality import Laterality

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class AgreementCell:
    """One point as drawn: its place in SVG units (degree, y down), and what stands there.

    `shade` is that of `compare_view`.
    """

    location: int
    x: float
    y: float
    sensitivity: str
    difference: str
    shade: str


@dataclass(frozen=True)
class AgreementView:
    """Both fields and how far they differ, dB; None where the age is unknown.

    `after_days` counts from the scan to the measurement, negative where that came first.
    """

    pattern: str
    strategy: str
    measured_at: datetime | None
    after_days: int
    cells: tuple[AgreementCell, ...]
    mean_absolute_error_db: float
    baseline_db: float | None
    mean_deviation_difference_db: float | None
    device_mean_deviation_db: float | None
    link: str


def agreement_view(
    comparison: Comparison | None, laterality: Laterality | None
) -> AgreementView | None:
    """Return a comparison as drawn, None where there is none."""
    if comparison is None or laterality is None:
        return None
    row, agreement = comparison.measured, comparison.agreement
    return AgreementView(
        pattern=row.pattern,
        strategy=row.strategy,
        measured_at=row.measured_at,
        after_days=round(comparison.after / _DAY),
        cells=_cells(comparison, laterality),
        mean_absolute_error_db=agreement.mean_absolute_error_db,
        baseline_db=agreement.baseline_mean_absolute_error_db,
        mean_deviation_difference_db=agreement.mean_deviation_difference_db,
        device_mean_deviation_db=row.mean_deviation_db,
        link=f"/v1/measured-fields/{row.id}",
    )


def _cells(comparison: Comparison, laterality: Laterality) -> tuple[AgreementCell, ...]:
    columns = zip(
        LOCATIONS,
        x_as_patient_sees(laterality),
        Y_DEGREE,
        comparison.measured.sensitivities_db or (),
        comparison.agreement.differences_db,
        strict=True,
    )
    return tuple(
        AgreementCell(
            location=int(location),
            x=float(x),
            y=-float(y),
            sensitivity=whole(measured),
            difference=signed_whole(difference),
            shade=difference_shade(difference),
        )
        for location, x, y, measured, difference in columns
    )

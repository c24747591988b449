"""How the scans of each month turned out, by device and model: what shows drift.

A scan belongs to the month it was taken in, as its device says; one that names no time to the month
it was scored in. Months are those of UTC. Results that were replaced do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Float, String, case, func, or_, select, type_coerce, union_all
from sqlmodel import Session, col

from core.tables.predictions import PredictionRow
from core.values.prediction import PredictionStatus
from core.values.scan import Device

#: A year, with the month it ends in.
MONTHS_SHOWN: Final = 13
_MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True)
class MonthFigures:
    """The results of one month, device and version of a model.

    Attributes
    ----------
    month
        As 2026-03.
    results
        How many there are, whatever became of them.
    final, not_assessable, failed
        How many of them have an estimate, none for a reason in the scan, none because scoring
        broke.
    quality_mean
        Mean quality, 0 to 1, of the scans that could be judged; None without any.
    rnfl_mean_um, mean_deviation_db
        Means over the scans that have them; None without any.
    """

    month: str
    device: Device
    model: str
    results: int
    final: int
    not_assessable: int
    failed: int
    quality_mean: float | None
    rnfl_mean_um: float | None
    mean_deviation_db: float | None

    @property
    def gradable_share(self) -> float | None:
        """Share of the scans that were looked at which have an estimate; None without any."""
        judged = self.final + self.not_assessable
        return self.final / judged if judged else None


def months_until(now: datetime, count: int = MONTHS_SHOWN) -> tuple[str, ...]:
    """Return the last months with the present one as the last, as 2026-03."""
    last = now.year * _MONTHS_A_YEAR + now.month - 1
    return tuple(
        f"{number // _MONTHS_A_YEAR:04d}-{number % _MONTHS_A_YEAR + 1:02d}"
        for number in range(last - count + 1, last + 1)
    )


def month_of(moment: datetime) -> str:
    """Return the month of a moment in UTC, as 2026-03."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def read_figures(session: Session, months: Sequence[str]) -> list[MonthFigures]:
    """Return the figures of these months, which follow each other, by month, device and model."""
    rows = session.execute(figures_statement(months, session.connection().dialect.name)).all()
    return [
        MonthFigures(
            month=row.month,
            device=Device(row.manufacturer, row.manufacturer_model_name, row.device_serial_number),
            model=f"{row.model_name} {row.model_version}",
            results=int(row.results),
            final=int(row.final),
            not_assessable=int(row.not_assessable),
            failed=int(row.failed),
            quality_mean=row.quality_mean,
            rnfl_mean_um=row.rnfl_mean_um,
            mean_deviation_db=row.mean_deviation_db,
        )
        for row in rows
    ]


def figures_statement(months: Sequence[str], dialect: str) -> Any:
    """Return the statement: it reads one index and no row, for rows hold long arrays."""
    acquired, predicted = col(PredictionRow.acquired_at), col(PredictionRow.predicted_at)
    first, behind = _moment(months[0]), _moment(_following(months[-1]))
    dated = _part(acquired, acquired >= first, acquired < behind, dialect=dialect)
    undated = _part(
        predicted, acquired.is_(None), predicted >= first, predicted < behind, dialect=dialect
    )
    # Two parts, because a condition with OR would not be served by the index alone.
    found = union_all(dated, undated).subquery()
    of = found.c
    groups = (
        of.month,
        of.manufacturer,
        of.manufacturer_model_name,
        of.device_serial_number,
        of.model_name,
        of.model_version,
    )
    is_judged = or_(of.quality_score > 0, of.rnfl_mean_um.is_not(None))
    return (
        select(*groups)
        .add_columns(
            func.count().label("results"),
            *(_count(of.status, status) for status in PredictionStatus if _stands(status)),
            func.avg(case((is_judged, of.quality_score)), type_=Float).label("quality_mean"),
            func.avg(of.rnfl_mean_um, type_=Float).label("rnfl_mean_um"),
            func.avg(of.mean_deviation_db, type_=Float).label("mean_deviation_db"),
        )
        .group_by(*groups)
        .order_by(*groups)
    )


def _part(moment: Any, *conditions: ColumnElement[bool], dialect: str) -> Any:
    columns = (
        col(PredictionRow.status),
        col(PredictionRow.manufacturer),
        col(PredictionRow.manufacturer_model_name),
        col(PredictionRow.device_serial_number),
        col(PredictionRow.model_name),
        col(PredictionRow.model_version),
        col(PredictionRow.quality_score),
        col(PredictionRow.mean_deviation_db),
        col(PredictionRow.rnfl_mean_um),
    )
    stands = col(PredictionRow.status) != PredictionStatus.SUPERSEDED
    return select(_month(moment, dialect).label("month"), *columns).where(*conditions, stands)


def _month(moment: Any, dialect: str) -> ColumnElement[str]:
    if dialect == "postgresql":
        return func.to_char(func.timezone("UTC", moment), "YYYY-MM")
    # Kept as text; taking the text apart is quicker than reading it as a moment.
    return func.substr(type_coerce(moment, String), 1, 7)


def _count(column: Any, status: PredictionStatus) -> Any:
    return func.sum(case((column == status, 1), else_=0)).label(status.value)


def _stands(status: PredictionStatus) -> bool:
    return status is not PredictionStatus.SUPERSEDED


def _moment(month: str) -> datetime:
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00")


def _following(month: str) -> str:
    number = int(month[:4]) * _MONTHS_A_YEAR + int(month[5:])
    return f"{number // _MONTHS_A_YEAR:04d}-{number % _MONTHS_A_YEAR + 1:02d}"

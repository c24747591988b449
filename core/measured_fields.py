"""The record of measured fields: a value in, a value out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, select

from core.changes import append_change
from core.tables.changes import ChangeKind
from core.tables.columns import key_of
from core.tables.measured_fields import MeasuredFieldRow
from core.values.laterality import Laterality
from core.values.measured_field import (
    FieldPattern,
    FieldSource,
    MeasuredField,
    MeasuredPoint,
    Reliability,
)

#: A month as a length of time.
_MONTH: Final = timedelta(days=365.25 / 12)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
#: Values that row and value share under one name.
_SAME: Final = (
    "laterality",
    "pattern",
    "strategy",
    "age_years",
    "mean_deviation_db",
    "pattern_standard_deviation_db",
    "visual_field_index_percent",
    "glaucoma_hemifield_test",
    "foveal_sensitivity_db",
)


@dataclass(frozen=True)
class Origin:
    """Whose a measured field is, and where it came from.

    Attributes
    ----------
    key
        The same for the same test, however often it is read.
    instance_key
        The instance it was read from, None where there is none.
    former_keys
        What else the same test may be recorded under.
    """

    patient_key: int
    source: FieldSource
    key: str
    instance_key: int | None = None
    former_keys: tuple[str, ...] = ()


def key_of_named(patient_key: int, digest: str) -> str:
    """Return the key of a test that no instance holds, with the record whose Patient ID it names.

    That may have been merged into whose the field is now.
    """
    return f"{_named_start(patient_key)}{digest}"


def is_named(patient_key: int) -> ColumnElement[bool]:
    """Return whether a row names the Patient ID of a record."""
    return col(MeasuredFieldRow.source_key).startswith(_named_start(patient_key), autoescape=True)


def _named_start(patient_key: int) -> str:
    return f"csv:{patient_key}:"


def record_measured_field(
    session: Session, field: MeasuredField, origin: Origin, recorded_at: datetime
) -> bool:
    """Record a field in the caller's transaction; return False where it was recorded before."""
    keys = (origin.key, *origin.former_keys)
    known = select(MeasuredFieldRow.id).where(col(MeasuredFieldRow.source_key).in_(keys))
    if session.exec(known).first() is not None:
        return False
    row = _row_of(field, origin, recorded_at)
    session.add(row)
    session.flush()
    append_change(session, ChangeKind.MEASURED_FIELD_RECORDED, str(key_of(row)))
    return True


def forget_measured_fields(session: Session, instance_key: int) -> None:
    """Remove what was read from an instance whose content is another now."""
    of_instance = col(MeasuredFieldRow.instance_key) == instance_key
    session.execute(delete(MeasuredFieldRow).where(of_instance))


def measured_field_of(row: MeasuredFieldRow) -> MeasuredField:
    """Return the value that a row holds."""
    values: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
    values["laterality"] = Laterality(row.laterality)
    values["pattern"] = FieldPattern(row.pattern)
    return MeasuredField(
        points=tuple(MeasuredPoint(**point) for point in row.points),
        measured_at=row.measured_at,
        reliability=Reliability(**row.reliability),
        **values,
    )


def nearest_measured_field(
    session: Session,
    patient_key: int,
    laterality: Laterality,
    at: datetime,
    months: float,
) -> MeasuredFieldRow | None:
    """Return the complete 24-2 of an eye that was measured nearest to a moment, None without one.

    Parameters
    ----------
    months
        How far before or after it may lie.
    """
    moment = col(MeasuredFieldRow.measured_at)
    statement = select(MeasuredFieldRow).where(
        col(MeasuredFieldRow.patient_key) == patient_key,
        col(MeasuredFieldRow.laterality) == laterality,
        moment.between(_moved(at, -months * _MONTH), _moved(at, months * _MONTH)),
    )
    rows: Sequence[MeasuredFieldRow] = session.exec(statement).all()
    complete = [row for row in rows if row.sensitivities_db is not None]
    return min(complete, key=lambda row: _distance(row, at), default=None)


def _moved(at: datetime, by: timedelta) -> datetime:
    """Return a moment some time away, the first or last of the calendar where that is beyond it."""
    try:
        return at + by
    except OverflowError:
        return _EARLIEST if by < timedelta() else _LATEST


def _distance(row: MeasuredFieldRow, at: datetime) -> tuple[timedelta, int]:
    apart = timedelta.max if row.measured_at is None else abs(row.measured_at - at)
    # Of two that lie as near, always the same one.
    return apart, key_of(row)


def _row_of(field: MeasuredField, origin: Origin, recorded_at: datetime) -> MeasuredFieldRow:
    sensitivities = field.sensitivities_db
    return MeasuredFieldRow(
        patient_key=origin.patient_key,
        instance_key=origin.instance_key,
        source=origin.source,
        source_key=origin.key,
        # A device that names no zone means this clinic's time, which is the node's own.
        measured_at=None if field.measured_at is None else field.measured_at.astimezone(),
        recorded_at=recorded_at,
        sensitivities_db=(
            None if sensitivities is None else [round(float(value), 4) for value in sensitivities]
        ),
        points=[asdict(point) for point in field.points],
        reliability=asdict(field.reliability),
        **{name: getattr(field, name) for name in _SAME},
    )

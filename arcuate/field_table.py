"""A CSV file of measured 24-2 fields in the form of UWHVF, one test a line.

Columns `PatID, Eye` (Right or Left), `Sens_1` to `Sens_54` (dB, right-eye order for both eyes) and,
where they are known, `Date` (YYYY-MM-DD) or else `Age` (years), `FieldN`, `MD` (dB), `TD_1` to
`TD_54`, `PD_1` to `PD_54`. Its `MTD` and `PSD` are plain means, not a device's indices: left out.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from arcuate.errors import FieldsUnreadable
from core.perimetry.pattern import LOCATIONS, Y_DEGREE, x_as_patient_sees
from core.values.laterality import Laterality
from core.values.measured_field import FieldPattern, MeasuredField, MeasuredPoint

_EYES: Final = {
    **dict.fromkeys(("right", "r", "od"), Laterality.RIGHT),
    **dict.fromkeys(("left", "l", "os"), Laterality.LEFT),
}
_NEEDED: Final = {"PatID", "Eye", *(f"Sens_{location}" for location in LOCATIONS)}
_ABSENT: Final = {"", "na", "nan"}
_DAYS_A_YEAR: Final = 365.25
_LARGEST_DB: Final = 60.0
_OLDEST_YEARS: Final = 120.0
#: Others are moments of no test, and some of them of no calendar in another zone.
_YEARS: Final = range(1900, 2200)

Values = Mapping[str, str]


@dataclass(frozen=True)
class FieldLine:
    """One line of the file, its values still as text."""

    number: int
    values: Values

    @property
    def patient_id(self) -> str:
        """Whose it is."""
        return self.values["PatID"].strip()


def read_field_lines(path: Path) -> list[FieldLine]:
    """Return the lines of a file of measured fields.

    Raises
    ------
    FieldsUnreadable
        If it is no CSV file with those columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = sorted(_NEEDED - set(reader.fieldnames or ()))
            if missing:
                raise FieldsUnreadable(f"{path} has no column {', '.join(missing[:5])}")
            return [FieldLine(reader.line_num, values) for values in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FieldsUnreadable(f"{path} is no CSV file in UTF-8: {error}") from error


def field_of(line: FieldLine, birth_date: date | None) -> MeasuredField:
    """Return the test of a line.

    Parameters
    ----------
    birth_date
        Of the patient, to know from the age when it was, or from the day how old they were.

    Raises
    ------
    ValueError
        If a value is none; the message names its column.
    """
    laterality = _EYES.get(line.values["Eye"].strip().lower())
    if laterality is None:
        raise ValueError("Eye must be Right or Left")
    age_years = _number(line.values, "Age")
    if age_years is not None and not 0 <= age_years <= _OLDEST_YEARS:
        raise ValueError(f"Age is not between 0 and {_OLDEST_YEARS:g} years")
    measured_at = _measured_at(line.values, birth_date, age_years)
    return MeasuredField(
        laterality=laterality,
        pattern=FieldPattern.P24_2,
        points=_points(line.values, laterality),
        measured_at=measured_at,
        age_years=_age_at(measured_at, birth_date) if age_years is None else age_years,
        mean_deviation_db=_number(line.values, "MD"),
    )


def _points(values: Values, laterality: Laterality) -> tuple[MeasuredPoint, ...]:
    places = zip(LOCATIONS, x_as_patient_sees(laterality), Y_DEGREE, strict=True)
    return tuple(_point(values, int(location), float(x), float(y)) for location, x, y in places)


def _point(values: Values, location: int, x: float, y: float) -> MeasuredPoint:
    value = _number(values, f"Sens_{location}")
    if value is not None and value > _LARGEST_DB:
        raise ValueError(f"Sens_{location} is above {_LARGEST_DB:g} dB")
    is_seen = value is None or value >= 0
    return MeasuredPoint(
        x_degree=x,
        y_degree=y,
        sensitivity_db=value if is_seen else None,
        is_seen=is_seen,
        total_deviation_db=_number(values, f"TD_{location}"),
        pattern_deviation_db=_number(values, f"PD_{location}"),
    )


def _measured_at(
    values: Values, birth_date: date | None, age_years: float | None
) -> datetime | None:
    text = values.get("Date", "").strip()
    if text:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError("Date must be YYYY-MM-DD") from error
        if moment.year not in _YEARS:
            raise ValueError("Date is not of these centuries")
        return moment
    if birth_date is None or age_years is None:
        return None
    # Exact to a day or so, which is what an age in years with decimals is.
    born = datetime.combine(birth_date, datetime.min.time())
    return born + timedelta(days=round(age_years * _DAYS_A_YEAR))


def _age_at(moment: datetime | None, birth_date: date | None) -> float | None:
    """Return an age in years, None where it is not known or none that people reach."""
    if moment is None or birth_date is None:
        return None
    age_years = (moment.date() - birth_date).days / _DAYS_A_YEAR
    return age_years if 0 <= age_years <= _OLDEST_YEARS else None


def _number(values: Values, column: str) -> float | None:
    text = (values.get(column) or "").strip()
    if text.lower() in _ABSENT:
        return None
    if text.startswith("<"):
        return -1.0
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{column} is no number") from error
    if not math.isfinite(value):
        raise ValueError(f"{column} is no number")
    return value

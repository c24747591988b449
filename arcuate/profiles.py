"""RNFL profiles from a CSV file: one eye a line, read and scored.

Columns `eye_id, laterality, age_years` and `p000` to `p767`: thickness in µm, TSNIT.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from arcuate.errors import ProfilesUnreadable
from arcuate.score_row import Row, failed_row, scored_row
from core.values.laterality import Laterality
from core.values.profile import PROFILE_SAMPLES, SECTOR_LIMITS_DEGREE, Profile, Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device
from inference.analysis import estimate_fields
from inference.examination import Examination
from inference.predictor import Predictor

#: Thickness no retina has, in µm; a table in another unit is beyond one of these.
_THICKEST_UM: Final = 500.0
_LEAST_MEAN_UM: Final = 15.0
_OLDEST_YEARS: Final = 130.0
#: Eyes predicted together; a row is written when its group is done.
_GROUP_SIZE: Final = 64
_WHO: Final = ("eye_id", "laterality", "age_years")
_SAMPLES: Final = tuple(f"p{number:03d}" for number in range(PROFILE_SAMPLES))

_Values = Mapping[str | None, str | list[str] | None]


@dataclass(frozen=True)
class ProfileLine:
    """One line of the file, still as text.

    Attributes
    ----------
    eye_id
        What names the eye; the line's number where it has no name.
    values
        By column; None where the line is too short.
    repeated
        Whether an earlier line has that name already.
    """

    eye_id: str
    values: _Values
    repeated: bool


class _LineInvalid(ValueError):
    """A line that cannot be scored; the message is its reason."""


def read_lines(path: Path) -> list[ProfileLine]:
    """Return the lines of a file of profiles.

    Raises
    ------
    ProfilesUnreadable
        If it is no CSV file with those columns.
    """
    lines: list[ProfileLine] = []
    names: set[str] = set()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_columns(path, reader.fieldnames or ())
            for values in reader:
                eye_id = str(values["eye_id"] or "").strip() or f"line {reader.line_num}"
                lines.append(ProfileLine(eye_id, values, repeated=eye_id in names))
                names.add(eye_id)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProfilesUnreadable(f"{path} is no CSV file in UTF-8: {error}") from error
    return lines


def score_profiles(lines: Iterable[ProfileLine], predictor: Predictor) -> Iterator[Row]:
    """Yield a row for each line; one that cannot be scored has status `failed` and the cause."""
    waiting = iter(lines)
    while group := list(islice(waiting, _GROUP_SIZE)):
        yield from _score_group(group, predictor)


def _score_group(group: Sequence[ProfileLine], predictor: Predictor) -> Iterator[Row]:
    read = [_read(line, predictor) for line in group]
    examinations = [found for found in read if isinstance(found, Examination)]
    fields = iter(estimate_fields(predictor, examinations))
    for line, found in zip(group, read, strict=True):
        if isinstance(found, Examination):
            yield scored_row(line.eye_id, predictor.identity, found, next(fields))
        else:
            yield failed_row(line.eye_id, predictor.identity, found)


def _read(line: ProfileLine, predictor: Predictor) -> Examination | str:
    """Return the eye of a line, or why it cannot be scored."""
    try:
        return _examination(line, predictor.card.trained_age_range_years)
    except _LineInvalid as error:
        return str(error)


def _examination(line: ProfileLine, age_limits_years: tuple[float, float]) -> Examination:
    values = line.values
    if line.repeated:
        raise _LineInvalid("an earlier line has the same eye_id: each eye needs its own")
    if None in values or None in values.values():
        raise _LineInvalid("the line has more or fewer values than the header")
    side = str(values["laterality"]).strip()
    if side not in set(Laterality):
        raise _LineInvalid("laterality must be R or L")
    age_years = _age(values)
    thickness_um = np.array([_number(values, name, 0.0, _THICKEST_UM) for name in _SAMPLES])
    if thickness_um.mean() < _LEAST_MEAN_UM:
        raise _LineInvalid(f"the mean is {thickness_um.mean():.1f}: is the thickness in µm?")
    return Examination(
        device=Device(),
        laterality=Laterality(side),
        acquired_at=None,
        age_years=age_years,
        profile=Profile(thickness_um.astype(np.float32), Quality(assessable=True, score=1.0)),
        reasons=_age_reasons(age_years, age_limits_years),
    )


def _age(values: _Values) -> float | None:
    if not str(values["age_years"]).strip():
        return None
    return _number(values, "age_years", 0.0, _OLDEST_YEARS)


def _number(values: _Values, name: str, least: float, most: float) -> float:
    try:
        value = float(str(values[name]))
    except ValueError:
        raise _LineInvalid(f"{name} is no number") from None
    if not (math.isfinite(value) and least <= value <= most):
        raise _LineInvalid(f"{name} is not between {least:g} and {most:g}")
    return value


def _age_reasons(age_years: float | None, limits_years: tuple[float, float]) -> tuple[Reason, ...]:
    if age_years is None:
        return (Reason(ReasonCode.AGE_MISSING, "The model needs the age at the scan."),)
    youngest, oldest = limits_years
    if youngest <= age_years <= oldest:
        return ()
    message = f"The model is meant for ages from {youngest:.0f} to {oldest:.0f} years."
    return (Reason(ReasonCode.OUTSIDE_INTENDED_USE, message),)


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if len(set(columns)) != len(columns):
        raise ProfilesUnreadable(f"{path} names a column twice")
    missing = [name for name in (*_WHO, *_SAMPLES) if name not in columns]
    if not missing:
        return
    if set(SECTOR_LIMITS_DEGREE) <= set(columns):
        raise ProfilesUnreadable(
            f"{path} holds the six sectors; profiles are scored from 768 samples, columns p000 to "
            "p767, so far: sectors alone are not enough for this model"
        )
    raise ProfilesUnreadable(
        f"{path} lacks {len(missing)} columns, the first is {missing[0]}: eye_id, laterality, "
        "age_years and p000 to p767 are needed, separated by commas"
    )

"""RNFL profiles from a file, checked and scored: one row an eye."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from arcuate.profile_table import ProfileFrom, ProfileLine, Values
from arcuate.score_row import Row, failed_row, scored_row
from core.values.laterality import Laterality
from core.values.profile import Profile, Quality
from core.values.reason import Reason, ReasonCode
from core.values.scan import Device
from inference.examination import Examination
from inference.scorer import Scorer
from inference.sector_profile import profile_from_sectors

#: Thickness no retina has, in µm; a table in another unit is beyond one of these.
_THICKEST_UM: Final = 500.0
_LEAST_MEAN_UM: Final = 15.0
#: A sample may be 0 where a vessel or the software left nothing; the mean of a sector never is.
_LEAST_UM: Final = {ProfileFrom.SAMPLES: 0.0, ProfileFrom.SECTORS: 1.0}
_OLDEST_YEARS: Final = 130.0
#: Eyes predicted together; a row is written when its group is done.
_GROUP_SIZE: Final = 64
_AGE_MISSING: Final = Reason(
    ReasonCode.AGE_MISSING, "The model needs the age at the scan: fill in age_years."
)


class _LineInvalid(ValueError):
    """A line that cannot be scored; the message is its reason."""


def score_profiles(
    lines: Iterable[ProfileLine], scorer: Scorer, note: Callable[[int], None] = lambda _: None
) -> Iterator[Row]:
    """Yield a row for each line; one that cannot be scored has status `failed` and the cause.

    Parameters
    ----------
    note
        Told how many lines are done, as they are.
    """
    waiting = iter(lines)
    while group := list(islice(waiting, _GROUP_SIZE)):
        yield from _score_group(group, scorer)
        note(len(group))


def _score_group(group: Sequence[ProfileLine], scorer: Scorer) -> Iterator[Row]:
    read = [_read(line) for line in group]
    judged = scorer.judged([found for found in read if isinstance(found, Examination)])
    scored = zip(judged, scorer.estimate(judged), strict=True)
    for line, found in zip(group, read, strict=True):
        if isinstance(found, Examination):
            row = scored_row(line.eye_id, line.digest, scorer.identity, *next(scored))
        else:
            row = failed_row(line.eye_id, line.digest, scorer.identity, found)
        yield {**row, "profile_from": line.made_from.value}


def _read(line: ProfileLine) -> Examination | str:
    """Return the eye of a line, or why it cannot be scored."""
    try:
        return _examination(line)
    except _LineInvalid as error:
        return str(error)


def _examination(line: ProfileLine) -> Examination:
    values = line.values
    if line.repeated:
        raise _LineInvalid("an earlier line has the same eye_id: each eye needs its own")
    if None in values or None in values.values():
        raise _LineInvalid("the line has more or fewer values than the header")
    side = str(values["laterality"]).strip()
    if side not in set(Laterality):
        raise _LineInvalid("laterality must be R or L")
    age_years = _age(values)
    thickness_um = _thickness_um(values, line.made_from, age_years)
    return Examination(
        device=Device(),
        laterality=Laterality(side),
        acquired_at=None,
        age_years=age_years,
        profile=None if thickness_um is None else Profile(thickness_um, Quality(True, score=1.0)),
        reasons=() if age_years is not None else (_AGE_MISSING,),
    )


def _thickness_um(
    values: Values, made_from: ProfileFrom, age_years: float | None
) -> NDArray[np.float32] | None:
    """Return the profile in µm, shape (768,); None for sectors of unknown age, which give none."""
    least = _LEAST_UM[made_from]
    given_um = np.array(
        [_number(values, name, least, _THICKEST_UM, "µm") for name in made_from.columns]
    )
    if given_um.mean() < _LEAST_MEAN_UM:
        raise _LineInvalid(f"the mean is {given_um.mean():.1f}: is the thickness in µm?")
    if made_from is ProfileFrom.SAMPLES:
        return given_um.astype(np.float32)
    return None if age_years is None else profile_from_sectors(given_um, age_years)


def _age(values: Values) -> float | None:
    if not str(values["age_years"]).strip():
        return None
    return _number(values, "age_years", 0.0, _OLDEST_YEARS, "years")


def _number(values: Values, name: str, least: float, most: float, unit: str) -> float:
    try:
        value = float(str(values[name]))
    except ValueError:
        raise _LineInvalid(f"{name} is no number") from None
    if not (math.isfinite(value) and least <= value <= most):
        raise _LineInvalid(f"{name} is {value:g}, not between {least:g} and {most:g} {unit}")
    return value

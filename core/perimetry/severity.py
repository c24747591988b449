"""How severe a field is, by its mean deviation.

The limits of Hodapp, Parrish and Anderson (Clinical Decisions in Glaucoma, 1993), of which only
those of the mean deviation are used: their rules on single points were made for measured fields.
Said of an estimate the class is an estimate, too, and no stage of a disease.
"""

from enum import StrEnum
from typing import Final

#: In dB: a mean deviation below it is moderate at least; below the other, severe.
MODERATE_BELOW_DB: Final = -6.0
SEVERE_BELOW_DB: Final = -12.0


class Severity(StrEnum):
    """A class of mean deviation."""

    #: Not worse than -6 dB: a healthy field, too.
    EARLY = "early"
    #: Worse than -6 dB, not worse than -12 dB.
    MODERATE = "moderate"
    #: Worse than -12 dB.
    SEVERE = "severe"


#: The mean deviations of each class in dB: at least the first, below the second.
BOUNDS_DB: Final[dict[Severity, tuple[float | None, float | None]]] = {
    Severity.EARLY: (MODERATE_BELOW_DB, None),
    Severity.MODERATE: (SEVERE_BELOW_DB, MODERATE_BELOW_DB),
    Severity.SEVERE: (None, SEVERE_BELOW_DB),
}


def severity_of(mean_deviation_db: float) -> Severity:
    """Return the class of a mean deviation in dB."""
    if mean_deviation_db < SEVERE_BELOW_DB:
        return Severity.SEVERE
    return Severity.MODERATE if mean_deviation_db < MODERATE_BELOW_DB else Severity.EARLY

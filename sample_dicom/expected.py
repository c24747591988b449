"""What must come of a sample once it has been scored."""

from dataclasses import dataclass
from enum import StrEnum

from core.values.prediction import PredictionStatus
from core.values.reason import ReasonCode


class HalfField(StrEnum):
    """One half of the visual field: a lost bundle of fibres dims the opposite half."""

    SUPERIOR = "superior"
    INFERIOR = "inferior"


@dataclass(frozen=True)
class Expected:
    """What must come of a sample.

    Attributes
    ----------
    status
        Final or not assessable.
    reason
        Why it is not assessable.
    mean_deviation_below_db, mean_deviation_above_db
        Loose bounds of the estimated mean deviation, None where nothing is claimed. They leave an
        estimator room to shrink towards the mean: half of what the lost fibres imply, or less.
    worse_half_field
        The half of the field that must come back clearly lower; None where neither is.
    """

    status: PredictionStatus = PredictionStatus.FINAL
    reason: ReasonCode | None = None
    mean_deviation_below_db: float | None = None
    mean_deviation_above_db: float | None = None
    worse_half_field: HalfField | None = None

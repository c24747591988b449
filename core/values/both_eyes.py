"""Both eyes of a study, as one settled version of its summary tells them."""

from dataclasses import dataclass
from datetime import datetime

from core.values.prediction import Prediction
from core.values.review import Review


@dataclass(frozen=True)
class EyeOfStudy:
    """The result that counts for one eye, and how it stands among others of that eye.

    Attributes
    ----------
    results
        How many results the eye has, this one included.
    mean_deviation_range_db
        Between the highest and the lowest estimate; None with fewer than two.
    disagree
        Whether the estimates are too far apart to be taken for the same.
    withheld
        The decision that nobody must take its numbers any more; None where there is none.
    """

    prediction: Prediction
    results: int = 1
    mean_deviation_range_db: float | None = None
    disagree: bool = False
    withheld: Review | None = None


@dataclass(frozen=True)
class BothEyes:
    """What a report of both eyes tells.

    Attributes
    ----------
    version
        Of the study's summary, counting from 1.
    missing
        Instances that a device or system named and that did not come.
    of_neither
        Results that could be given to neither eye.
    """

    study_instance_uid: str
    version: int
    settled_at: datetime
    right: EyeOfStudy
    left: EyeOfStudy
    missing: int = 0
    of_neither: int = 0

    @property
    def eyes(self) -> tuple[EyeOfStudy, EyeOfStudy]:
        """Right eye, left eye."""
        return self.right, self.left

    @property
    def withheld(self) -> tuple[Review, ...]:
        """The decisions that withhold the numbers of an eye."""
        return tuple(eye.withheld for eye in self.eyes if eye.withheld is not None)

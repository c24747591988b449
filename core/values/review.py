"""What a person decided about an estimate."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReviewDecision(StrEnum):
    """What was decided."""

    #: The estimate may be used as what it is.
    ACCEPT = "accept"
    #: The estimate must not be used; the comment says why.
    REJECT = "reject"
    #: It may be used as amended.
    AMEND = "amend"


@dataclass(frozen=True)
class Amendment:
    """What a person says instead; None where the estimate's own holds.

    The eye is not among it: a wrong eye is corrected at the device, and the scan sent again.

    Attributes
    ----------
    assessable
        Whether the scan can be assessed at all.
    """

    assessable: bool | None = None
    mean_deviation_db: float | None = None
    mean_sensitivity_db: float | None = None
    pattern_standard_deviation_db: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return self == Amendment()


@dataclass(frozen=True)
class ReviewDraft:
    """A decision as a person makes it.

    Attributes
    ----------
    reviewer
        Name of the person's key.
    """

    decision: ReviewDecision
    reviewer: str
    comment: str = ""
    amendment: Amendment = Amendment()


@dataclass(frozen=True)
class Review:
    """A decision that is kept.

    Attributes
    ----------
    number
        Counts the reviews of one prediction from 1; the last one holds.
    """

    review_id: str
    prediction_id: str
    number: int
    draft: ReviewDraft
    reviewed_at: datetime

    @property
    def withholds_numbers(self) -> bool:
        """Whether nobody must take the estimate's numbers any more."""
        return (
            self.draft.decision is ReviewDecision.REJECT or self.draft.amendment.assessable is False
        )

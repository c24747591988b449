"""Reviews as JSON: what comes in, and what is kept."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.schemas.values import Moment
from core.tables.reviews import ReviewRequestRow
from core.values.review import Amendment, Review, ReviewDecision, ReviewDraft

_EYE_WORDS = ("laterality", "eye")

Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Decibel = Annotated[float, Field(ge=-60, le=60, allow_inf_nan=False)]


class AmendedIndices(BaseModel):
    """Global indices a person gives instead, dB."""

    model_config = ConfigDict(extra="forbid")

    mean_deviation: Decibel | None = None
    mean_sensitivity: Decibel | None = None
    pattern_standard_deviation: Decibel | None = None


class Amended(BaseModel):
    """What a person says instead. Never the eye: correct it at the device and send anew."""

    model_config = ConfigDict(extra="forbid")

    assessable: bool | None = Field(
        default=None, description="Whether the scan can be assessed at all."
    )
    indices: AmendedIndices | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_another_eye(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(word in value for word in _EYE_WORDS):
            raise ValueError(
                "the eye cannot be amended: correct it at the device and send the scan again"
            )
        return value


class ReviewIn(BaseModel):
    """A decision about an estimate."""

    model_config = ConfigDict(extra="forbid")

    decision: ReviewDecision
    comment: Comment = Field(default="", description="Needed to reject.")
    amended: Amended | None = Field(default=None, description="Only where the decision is amend.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        says_something = self.amended is not None and not amendment_of(self.amended).is_empty
        if self.decision is ReviewDecision.REJECT and not self.comment:
            raise ValueError("a rejection needs a comment that says why")
        if self.decision is ReviewDecision.AMEND and not (says_something or self.comment):
            raise ValueError("an amendment needs `amended` or a comment")
        if self.decision is not ReviewDecision.AMEND and self.amended is not None:
            raise ValueError("`amended` belongs to the decision amend")
        return self

    def draft(self, reviewer: str) -> ReviewDraft:
        """Return it as the decision of a person."""
        amended = self.amended or Amended()
        return ReviewDraft(self.decision, reviewer, self.comment, amendment_of(amended))


class ReviewRequestIn(BaseModel):
    """A request that somebody looks at an estimate."""

    model_config = ConfigDict(extra="forbid")

    comment: Comment = ""


class ReviewOut(BaseModel):
    """A decision that is kept."""

    number: int = Field(description="Counts the reviews of the prediction; the last one holds.")
    decision: ReviewDecision
    comment: str
    amended: Amended | None
    reviewer: str = Field(description="Name of the person's key.")
    reviewed_at: Moment


class ReviewRequestOut(BaseModel):
    """An open request for a review."""

    requested_by: str
    comment: str
    requested_at: Moment


class ReviewsOut(BaseModel):
    """Every decision about a prediction, the first one first."""

    items: list[ReviewOut]


def amendment_of(amended: Amended) -> Amendment:
    """Return what a person says instead as a value."""
    indices = amended.indices or AmendedIndices()
    return Amendment(
        assessable=amended.assessable,
        mean_deviation_db=indices.mean_deviation,
        mean_sensitivity_db=indices.mean_sensitivity,
        pattern_standard_deviation_db=indices.pattern_standard_deviation,
    )


def review_json(review: Review | None) -> ReviewOut | None:
    """Return a decision as JSON."""
    if review is None:
        return None
    return ReviewOut(
        number=review.number,
        decision=review.draft.decision,
        comment=review.draft.comment,
        amended=_amended_json(review.draft.amendment),
        reviewer=review.draft.reviewer,
        reviewed_at=review.reviewed_at,
    )


def request_json(row: ReviewRequestRow | None) -> ReviewRequestOut | None:
    """Return an open request as JSON."""
    if row is None:
        return None
    return ReviewRequestOut(
        requested_by=row.requested_by, comment=row.comment, requested_at=row.requested_at
    )


def _amended_json(amendment: Amendment) -> Amended | None:
    if amendment.is_empty:
        return None
    indices = AmendedIndices(
        mean_deviation=amendment.mean_deviation_db,
        mean_sensitivity=amendment.mean_sensitivity_db,
        pattern_standard_deviation=amendment.pattern_standard_deviation_db,
    )
    return Amended(
        assessable=amendment.assessable,
        indices=None if indices == AmendedIndices() else indices,
    )

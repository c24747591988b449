"""Decisions for tests: build_review(ReviewDecision.REJECT, comment="Wrong circle")."""

from datetime import UTC, datetime
from typing import Any

from core.values.review import Review, ReviewDecision, ReviewDraft

REVIEWED_AT = datetime(2026, 3, 5, 8, 15, 30, tzinfo=UTC)


def build_review(
    decision: ReviewDecision = ReviewDecision.ACCEPT, number: int = 1, **draft: Any
) -> Review:
    """Return a decision about the builder's prediction; `draft` holds fields of ReviewDraft."""
    values = {"decision": decision, "reviewer": "dr-ito", **draft}
    return Review(
        review_id=f"review-{number}-{decision}",
        prediction_id="5f0c2b3e-6a51-4a6e-9a1c-0d0f4e6f7a10",
        number=number,
        draft=ReviewDraft(**values),
        reviewed_at=REVIEWED_AT,
    )
